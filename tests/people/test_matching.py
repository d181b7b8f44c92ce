"""Who is this? Every rung of the ladder, with the words that staff read."""

from connectcard.people.matching import NEW, SAME, UNCLEAR, Candidate, Visitor, decide

ANA = Candidate("1", "Ana", "Lopez", emails=frozenset({"lopez@gmail.com"}), phones=frozenset({"+15125550177"}))
TOM = Candidate("2", "Tom", "Lopez", emails=frozenset({"lopez@gmail.com"}), phones=frozenset({"+15125550177"}))


def test_nobody_is_there() -> None:
    assert decide(Visitor("Ana", "Lopez", "ana@gmail.com"), []).kind == NEW


def test_an_unrelated_hit_of_the_fuzzy_search_is_nobody() -> None:
    stranger = Candidate("9", "Anabel", "Lopresti", emails=frozenset({"x@gmail.com"}))
    assert decide(Visitor("Ana", "Lopez", "ana@gmail.com"), [stranger]).kind == NEW


def test_email_and_name_are_the_same_person() -> None:
    decision = decide(Visitor("ana", "LOPEZ", "lopez@gmail.com"), [ANA])
    assert (decision.kind, decision.person) == (SAME, ANA)
    assert decision.words == "Same name and same email as Ana Lopez."


def test_phone_and_nickname_are_the_same_person() -> None:
    bill = Candidate("3", "William", "Okafor", phones=frozenset({"+15125550142"}))
    assert decide(Visitor("Bill", "Okafor", phone="+15125550142"), [bill]).person == bill


def test_a_spouse_with_the_same_email_is_never_written_over() -> None:
    decision = decide(Visitor("Maria", "Lopez", "lopez@gmail.com"), [ANA])
    assert decision.kind == UNCLEAR
    assert decision.words == "Same email as Ana Lopez, but another name. It may be somebody of the same household."


def test_of_a_couple_with_one_email_the_one_with_the_name_is_meant() -> None:
    decision = decide(Visitor("Tom", "Lopez", "lopez@gmail.com"), [ANA, TOM])
    assert decision.person == TOM


def test_father_and_son_of_one_name_and_one_phone_stay_unclear() -> None:
    father = Candidate("4", "John", "Reed", phones=frozenset({"+15125550101"}))
    son = Candidate("5", "John", "Reed Jr.", phones=frozenset({"+15125550101"}))
    decision = decide(Visitor("John", "Reed", phone="+15125550101"), [father, son])
    assert decision.kind == UNCLEAR
    assert decision.words == "2 people in Planning Center fit this card."


def test_a_name_alone_is_never_enough() -> None:
    decision = decide(Visitor("Ana", "Lopez", "new@gmail.com"), [ANA])
    assert decision.kind == UNCLEAR
    assert decision.words == "Same name as Ana Lopez, but no email or mobile number in common."


def test_a_first_name_is_enough_with_an_email_that_one_person_has() -> None:
    assert decide(Visitor("Ana", "", "lopez@gmail.com"), [ANA]).person == ANA
    assert decide(Visitor("Ana", "", "lopez@gmail.com"), [ANA, TOM]).kind == UNCLEAR


def test_a_first_name_with_a_phone_only_is_unclear() -> None:
    assert decide(Visitor("Ana", "", phone="+15125550177"), [ANA]).kind == UNCLEAR


def test_email_of_one_and_phone_of_another_of_the_same_name_is_unclear() -> None:
    other = Candidate("6", "Ana", "Lopez", phones=frozenset({"+15125550199"}))
    assert decide(Visitor("Ana", "Lopez", "lopez@gmail.com", "+15125550199"), [ANA, other]).kind == UNCLEAR


def test_the_person_this_card_reached_before_comes_first() -> None:
    assert decide(Visitor("Maria", "Other", linked="1"), [ANA, TOM]).person == ANA


def test_the_reasons_say_what_agrees_and_what_differs() -> None:
    decision = decide(Visitor("Maria", "Lopez", "lopez@gmail.com", "+15125550100"), [ANA])
    assert [(reason.agrees, reason.words) for reason in decision.compared[0].reasons] == [
        ("no", "First name differs: theirs is Ana"),
        ("yes", "Same last name: Lopez"),
        ("yes", "Same email: lopez@gmail.com"),
        ("no", "Mobile number differs: theirs is +1 512-555-0177"),
    ]
