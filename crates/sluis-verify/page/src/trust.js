// trust
