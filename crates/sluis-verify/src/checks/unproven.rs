//! Check 13: what is not proven. The text is the same in every verdict: an expert on the other side would say it.

use crate::verdict::Check;

/// What no bundle proves, in English and in Dutch.
pub(crate) const NOT_PROVEN: [(&str, &str); 8] = [
    (
        "That what the sender recorded is true. The log proves that the sender claimed it then, and has not changed it since.",
        "Dat waar is wat de afzender vastlegde. Het logboek bewijst dat de afzender het toen beweerde en sindsdien niet veranderde.",
    ),
    (
        "That a letter was read, or reached a person. How well its delivery is proven stands at 11; where the sender's own record \
         is the only proof, it is the sender who says so.",
        "Dat een brief gelezen is of een mens bereikte. Hoe goed de aflevering bewezen is, staat bij 11; waar alleen de eigen \
         administratie van de afzender het bewijs is, zegt alleen de afzender het.",
    ),
    (
        "That the report was right: that there was abuse, and that the party held the address. What the attribution rests on is \
         the sender's statement.",
        "Dat de melding klopte: dat er misbruik was, en dat de partij het adres had. Waar de herleiding op rust, is een verklaring \
         van de afzender.",
    ),
    (
        "When something happened. Proven is when it was recorded at the latest, and not before; when it happened is a claim.",
        "Wanneer iets gebeurde. Bewezen is wanneer het uiterlijk vastgelegd was, en niet eerder dan; wanneer het gebeurde, is een \
         bewering.",
    ),
    (
        "That there is nothing more: later records of this case may exist, also before the checkpoint, or a second version of one \
         that is shown, unless the whole log was looked through (--log); other cases about this party are not covered.",
        "Dat er niet meer is: latere regels van dit dossier kunnen bestaan, ook voor het ijkpunt, of een tweede versie van een die \
         getoond wordt, tenzij het hele logboek doorzocht is (--log); andere dossiers over deze partij vallen hier niet onder.",
    ),
    (
        "That there is one case for one report. A second case about the same report could have been kept, which nobody outside \
         holds a receipt or letter of.",
        "Dat er bij één melding één dossier is. Er kan een tweede dossier over dezelfde melding bijgehouden zijn, waarvan niemand \
         daarbuiten een ontvangstbevestiging of brief heeft.",
    ),
    (
        "That a time-stamp is of a signed log. It proves that this text existed then; the signature is checked apart from it.",
        "Dat een tijdstempel van een ondertekend logboek is. Het bewijst dat deze tekst toen bestond; de handtekening is los \
         daarvan gecontroleerd.",
    ),
    (
        "Anything, if the operator, the witnesses and the authorities that you trust all deceived you together; or if a key of theirs \
         was stolen unnoticed.",
        "Iets, als de beheerder, de getuigen en de instanties die u vertrouwt u samen bedrogen; of als een sleutel van hen ongemerkt \
         gestolen was.",
    ),
];

pub(crate) fn check() -> Check {
    let mut check = Check::new(13);
    NOT_PROVEN.iter().for_each(|(en, nl)| check.say(*en, *nl));
    check
}
