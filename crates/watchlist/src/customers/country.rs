//! Countries as customers' tables write them: two letters, three letters, or their Dutch, English and own names.

use matching::token::identifier::Country;

/// The country that is called so.
pub(super) fn of(text: &str) -> Option<Country> {
    let key: String = text.chars().flat_map(char::to_lowercase).filter(|letter| letter.is_alphanumeric()).take(64).collect();
    let key = key.as_str();
    if let Ok(two) = Country::try_from(key.to_ascii_uppercase().as_bytes()) {
        let two = match &two {
            b"UK" => *b"GB",
            b"EL" => *b"GR",
            other => *other,
        };
        return two
            .iter()
            .all(u8::is_ascii_uppercase)
            .then_some(two)
            .filter(|two| ISO.contains(String::from_utf8_lossy(two).as_ref()));
    }
    let found = NAMES.iter().find(|(_, names)| names.split(' ').any(|name| name == key))?;
    Country::try_from(found.0.as_bytes()).ok()
}

/// ISO 3166-1 alpha-2, and XK, which Kosovo uses.
const ISO: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH \
    CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT \
    GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD \
    ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA \
    RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ \
    VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// Names and three letters of the countries that customers of Dutch hosters have most, small letters and digits only.
const NAMES: [(&str, &str); 72] = [
    ("NL", "nederland netherlands thenetherlands holland nld"),
    ("BE", "belgië belgie belgium belgique belgien bel"),
    ("DE", "duitsland germany deutschland deu"),
    ("FR", "frankrijk france fra"),
    (
        "GB",
        "verenigdkoninkrijk unitedkingdom grootbrittannië grootbrittannie greatbritain engeland england scotland schotland wales gbr",
    ),
    ("LU", "luxemburg luxembourg lux"),
    ("AE", "verenigdearabischeemiraten unitedarabemirates are"),
    ("AL", "albanië albanie albania alb"),
    ("AM", "armenië armenie armenia arm"),
    ("AR", "argentinië argentinie argentina arg"),
    ("AT", "oostenrijk austria österreich osterreich aut"),
    ("AU", "australië australie australia aus"),
    ("AZ", "azerbeidzjan azerbaijan aze"),
    ("BG", "bulgarije bulgaria bgr"),
    ("BR", "brazilië brazilie brazil brasil bra"),
    ("BY", "wittrusland belarus blr"),
    ("BZ", "belize blz"),
    ("CA", "canada can"),
    ("CH", "zwitserland switzerland schweiz suisse svizzera che"),
    ("CN", "china chn"),
    ("CW", "curaçao curacao cuw"),
    ("CY", "cyprus cyp"),
    ("CZ", "tsjechië tsjechie czechia czechrepublic tsjechischerepubliek cze"),
    ("DK", "denemarken denmark danmark dnk"),
    ("EE", "estland estonia eesti est"),
    ("ES", "spanje spain españa espana esp"),
    ("FI", "finland suomi fin"),
    ("GE", "georgië georgie georgia geo"),
    ("GI", "gibraltar gib"),
    ("GR", "griekenland greece hellas grc"),
    ("HK", "hongkong hkg"),
    ("HR", "kroatië kroatie croatia hrvatska hrv"),
    ("HU", "hongarije hungary hun"),
    ("ID", "indonesië indonesie indonesia idn"),
    ("IE", "ierland ireland irl"),
    ("IL", "israël israel isr"),
    ("IN", "india ind"),
    ("IR", "iran irn"),
    ("IS", "ijsland iceland isl"),
    ("IT", "italië italie italy italia ita"),
    ("JP", "japan jpn"),
    ("KR", "zuidkorea southkorea korea kor"),
    ("KZ", "kazachstan kazakhstan kaz"),
    ("LI", "liechtenstein lie"),
    ("LT", "litouwen lithuania ltu"),
    ("LV", "letland latvia lva"),
    ("MA", "marokko morocco mar"),
    ("MC", "monaco mco"),
    ("MD", "moldavië moldavie moldova mda"),
    ("MT", "malta mlt"),
    ("MX", "mexico mex"),
    ("NG", "nigeria nga"),
    ("NO", "noorwegen norway norge nor"),
    ("NZ", "nieuwzeeland newzealand nzl"),
    ("PA", "panama pan"),
    ("PL", "polen poland polska pol"),
    ("PT", "portugal prt"),
    ("RO", "roemenië roemenie romania rou"),
    ("RS", "servië servie serbia srb"),
    ("RU", "rusland russia russianfederation russischefederatie rus"),
    ("SC", "seychellen seychelles syc"),
    ("SE", "zweden sweden sverige swe"),
    ("SG", "singapore sgp"),
    ("SI", "slovenië slovenie slovenia svn"),
    ("SK", "slowakije slovakia svk"),
    ("SR", "suriname sur"),
    ("TR", "turkije turkey türkiye turkiye tur"),
    ("UA", "oekraïne oekraine ukraine ukr"),
    ("US", "verenigdestaten verenigdestatenvanamerika unitedstates unitedstatesofamerica usa"),
    ("VG", "britsemaagdeneilanden britishvirginislands vgb"),
    ("VN", "vietnam vnm"),
    ("ZA", "zuidafrika southafrica zaf"),
];
