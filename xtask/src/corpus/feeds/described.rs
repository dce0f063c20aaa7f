//! Descriptions of tables on web pages, as the operator of the other program gave it the columns.

use parsers::formats::csv::Declared;

/// The description of a sample; none for what needs none.
pub(in crate::corpus) fn of(path: &str) -> Option<Declared> {
    let columns = match path.strip_prefix("feeds/html_table/")? {
        "feodotracker.html" => "time = 'Firstseen (UTC)'\nip = 'Host'\nmalware = 'Malware'\ncountry = 'Country'\n",
        "html_table.data" => "time = '-::DATE'\nurl = '-::URL'\nip = '-::IP'\nmalware = '-::TYPE'\n[time]\nformat = '%d-%m-%Y'\n",
        "html_table_ignore_values.data" => "time = 'Firstseen (UTC)'\nip = 'Host'\nmalware = 'Malware'\ncountry = 'Country'\n",
        "html_table_multivalue_cols.data" => "source = 'URL/IP'\ntime = 'Date Added'\n",
        _ => return None,
    };
    let text = format!("kind = 'content/malware'\nscheme = 'http'\nnothing = ['Not listed']\n[columns]\n{columns}");
    Declared::parse(&text).ok()
}
