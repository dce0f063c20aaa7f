//! Check 5: all checkpoints are of one log, and of one tree that only grew: nothing was changed or taken away between them.

use seal::tree;

use crate::said::quote;
use crate::subject::{Parsed, Subject};
use crate::verdict::Check;

pub(crate) fn check(subject: &Subject<'_>) -> Check {
    let mut check = Check::new(5);
    let Some(Ok(main)) = &subject.main else {
        check.lacks("there is no checkpoint", "er is geen ijkpunt");
        return check;
    };
    is_of_this_log(subject, main, &mut check);
    for (anchor, parsed) in subject.bundle.anchors.iter().zip(&subject.anchors) {
        let size = anchor.size;
        let earlier = match parsed {
            Ok(earlier) if earlier.checkpoint.size == size => earlier,
            Ok(_) => {
                check.wrong(
                    format!("anchors/{size}.txt is a checkpoint of another size"),
                    format!("anchors/{size}.txt is een ijkpunt van een andere grootte"),
                );
                continue;
            }
            Err(why) => {
                check.wrong(format!("anchors/{size}.txt: {why}"), format!("anchors/{size}.txt is geen ijkpunt ({why})"));
                continue;
            }
        };
        is_of_this_log(subject, earlier, &mut check);
        let (old, new) = (&earlier.checkpoint, &main.checkpoint);
        if let Err(wrong) = tree::verify_consistency(old.size, &old.root, new.size, &new.root, &anchor.consistency) {
            check.wrong(
                format!("the log of {size} entries is not the beginning of that of {}: {wrong}", new.size),
                format!("het logboek van {size} regels is niet het begin van dat van {} ({wrong})", new.size),
            );
        }
    }
    let (count, size) = (subject.anchors.len() + 1, main.checkpoint.size);
    check.unless_worse(
        format!("{count} checkpoints of one tree, the last of {size} entries"),
        format!("{count} ijkpunten van één logboek, het laatste van {size} regels"),
    )
}

fn is_of_this_log(subject: &Subject<'_>, parsed: &Parsed, check: &mut Check) {
    let (origin, size) = (&parsed.checkpoint.origin, parsed.checkpoint.size);
    if *origin != subject.bundle.origin {
        check.wrong(
            format!("the checkpoint of {size} entries is of another log: {}", quote(origin)),
            format!("het ijkpunt van {size} regels is van een ander logboek: {}", quote(origin)),
        );
    }
}
