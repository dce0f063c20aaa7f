//! The members of a CSAF 2.0 document that are read, and the names of its products.
//!
//! Nearly everything is optional here: what the standard's tests find wrong in a document is its publisher's matter.

use std::collections::HashMap;

use serde::Deserialize;

/// Branches inside each other whose products are named; the standard has no bound.
const BRANCHES: usize = 30;

/// `/document`.
#[derive(Deserialize)]
pub(super) struct Document {
    #[serde(default)]
    pub(super) csaf_version: String,
    #[serde(default)]
    pub(super) title: String,
    pub(super) publisher: Publisher,
    pub(super) tracking: Tracking,
    #[serde(default)]
    pub(super) distribution: Distribution,
    #[serde(default)]
    pub(super) aggregate_severity: Severity,
    #[serde(default)]
    pub(super) references: Vec<Reference>,
}

/// Who published it.
#[derive(Deserialize)]
pub(super) struct Publisher {
    #[serde(default)]
    pub(super) name: String,
}

/// Which document it is, and which version of it.
#[derive(Deserialize)]
pub(super) struct Tracking {
    #[serde(default)]
    pub(super) id: String,
    pub(super) current_release_date: Option<String>,
    pub(super) status: Option<String>,
}

/// Who may have it.
#[derive(Default, Deserialize)]
pub(super) struct Distribution {
    #[serde(default)]
    pub(super) tlp: Label,
}

/// Its traffic light.
#[derive(Default, Deserialize)]
pub(super) struct Label {
    #[serde(default)]
    pub(super) label: String,
}

/// How bad its publisher says the whole is.
#[derive(Default, Deserialize)]
pub(super) struct Severity {
    #[serde(default)]
    pub(super) text: String,
}

/// Where there is more.
#[derive(Deserialize)]
pub(super) struct Reference {
    #[serde(default)]
    pub(super) category: String,
    #[serde(default)]
    pub(super) url: String,
}

/// `/product_tree`.
#[derive(Default, Deserialize)]
pub(super) struct Tree {
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    full_product_names: Vec<Product>,
    #[serde(default)]
    product_groups: Vec<Group>,
    #[serde(default)]
    relationships: Vec<Relationship>,
}

#[derive(Deserialize)]
struct Branch {
    product: Option<Product>,
    #[serde(default)]
    branches: Vec<Branch>,
}

#[derive(Deserialize)]
struct Product {
    #[serde(default)]
    product_id: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    group_id: String,
    #[serde(default)]
    product_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Relationship {
    full_product_name: Option<Product>,
}

/// One of `/vulnerabilities`.
#[derive(Deserialize)]
pub(super) struct Vulnerability {
    pub(super) cve: Option<String>,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) scores: Vec<Scores>,
    #[serde(default)]
    pub(super) remediations: Vec<Remediation>,
    #[serde(default)]
    pub(super) product_status: Status,
    #[serde(default)]
    pub(super) references: Vec<Reference>,
}

/// Scores of some products.
#[derive(Deserialize)]
pub(super) struct Scores {
    cvss_v2: Option<Cvss>,
    cvss_v3: Option<Cvss>,
}

#[derive(Deserialize)]
struct Cvss {
    #[serde(rename = "baseScore")]
    base_score: Option<f64>,
    #[serde(rename = "baseSeverity", default)]
    base_severity: String,
}

/// A base score of CVSS.
pub(super) struct Score<'a> {
    /// Version of CVSS.
    pub(super) version: u8,
    /// The score in tenths, 0 to 100.
    pub(super) tenths: u8,
    /// The word for it; empty when it is not stated.
    pub(super) word: &'a str,
}

impl<'a> Score<'a> {
    /// The newest of the scores that are stated and are between 0 and 10.
    pub(super) fn best(scores: &'a Scores) -> Option<Score<'a>> {
        [(3, &scores.cvss_v3), (2, &scores.cvss_v2)].into_iter().find_map(|(version, cvss)| {
            let cvss = cvss.as_ref()?;
            let score = cvss.base_score.filter(|score| (0.0..=10.0).contains(score))?;
            Some(Score { version, tenths: (score * 10.0).round() as u8, word: &cvss.base_severity })
        })
    }
}

/// What to do about it.
#[derive(Deserialize)]
pub(super) struct Remediation {
    #[serde(default)]
    pub(super) category: String,
    #[serde(default)]
    pub(super) details: String,
    #[serde(default)]
    pub(super) url: String,
    #[serde(default)]
    pub(super) product_ids: Vec<String>,
    #[serde(default)]
    pub(super) group_ids: Vec<String>,
}

/// Which products it is in, by their identifiers.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    pub(super) known_affected: Vec<String>,
    pub(super) first_affected: Vec<String>,
    pub(super) last_affected: Vec<String>,
    pub(super) under_investigation: Vec<String>,
    pub(super) known_not_affected: Vec<String>,
    pub(super) fixed: Vec<String>,
    pub(super) first_fixed: Vec<String>,
    pub(super) recommended: Vec<String>,
}

/// The products of a tree, by their identifiers.
pub(super) struct Products<'a> {
    names: HashMap<&'a str, &'a str>,
    groups: HashMap<&'a str, &'a [String]>,
}

impl<'a> Products<'a> {
    /// Of a whole tree.
    pub(super) fn of(tree: &'a Tree) -> Products<'a> {
        let mut names = HashMap::new();
        let mut add = |product: &'a Product| {
            names.entry(product.product_id.as_str()).or_insert(product.name.as_str());
        };
        tree.full_product_names.iter().for_each(&mut add);
        tree.relationships.iter().filter_map(|one| one.full_product_name.as_ref()).for_each(&mut add);
        let mut level: Vec<&Branch> = tree.branches.iter().collect();
        for _ in 0..BRANCHES {
            level.iter().filter_map(|branch| branch.product.as_ref()).for_each(&mut add);
            level = level.iter().flat_map(|branch| &branch.branches).collect();
        }
        let groups = tree.product_groups.iter().map(|group| (group.group_id.as_str(), group.product_ids.as_slice())).collect();
        Products { names, groups }
    }

    /// The name of a product; its identifier when the tree does not name it.
    pub(super) fn name<'b>(&'b self, id: &'b str) -> &'b str {
        self.names.get(id).copied().filter(|name| !name.trim().is_empty()).unwrap_or(id)
    }

    /// The products of groups.
    pub(super) fn of_groups<'b>(&'b self, ids: &'b [String]) -> impl Iterator<Item = &'a str> + 'b {
        ids.iter().filter_map(|id| self.groups.get(id.as_str())).flat_map(|group| group.iter().map(String::as_str))
    }
}
