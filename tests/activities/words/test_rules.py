"""By which words a text is found."""

import pytest

from services.activities.words.rules import DESCRIBED, LONGEST, MOST_ASKED, Texts, query, vector
from shared.readings import syllables


def lexemes(*names: str, about: str = "") -> set[str]:
    return {each.partition(":")[0].strip("'") for each in vector(Texts(names, about), read=syllables).split()}


class TestVector:
    def test_chinese_is_taken_in_pairs_with_their_places(self) -> None:
        """Two characters that stand side by side are what the shortest words are made of; the last stands alone."""
        assert vector(Texts(("敬老院",))) == "'敬老':1 '老院':2 '院':3"

    def test_runs_do_not_go_on_in_each_other(self) -> None:
        """What ends one name and what begins the next are not side by side."""
        assert vector(Texts(("敬老", "院")), read=None) == "'敬老':1 '老':2 '院':5"

    def test_a_pair_that_comes_again_has_all_its_places(self) -> None:
        """A phrase may be there in the second place alone."""
        assert vector(Texts(("天天天",))) == "'天天':1,2 '天':3"

    def test_latin_words_are_whole_and_folded(self) -> None:
        """Case, width, accents and signs are how something is written, not what it is."""
        assert lexemes("\uff24\uff41\uff59-Care Café, 2022!") == {"day", "care", "cafe", "2022"}

    def test_long_words_are_told_by_their_beginning(self) -> None:
        """A lexeme has a limit, as everything."""
        assert lexemes("x" * (LONGEST + 1)) == {"x" * LONGEST}

    def test_chinese_is_read_from_each_syllable_on(self) -> None:
        """Whoever types pinyin begins with some syllable, and names are also found by their initials."""
        assert {"jinglaoyuan", "laoyuan", "yuan", "jly", "ly", "y"} <= lexemes("敬老院")
        assert "inglaoyuan" not in lexemes("敬老院")

    @pytest.mark.parametrize(
        ("name", "read"),
        [("重庆", "chongqing"), ("重要", "zhongyao"), ("长沙", "changsha"), ("成长", "chengzhang"), ("单位", "danwei"),
         ("银行", "yinhang"), ("步行", "buxing")],
    )  # fmt: skip
    def test_phrases_say_how_a_character_is_read(self, name: str, read: str) -> None:
        """重 is chong in 重庆 and zhong in 重要."""
        assert read in lexemes(name)

    def test_both_spellings_of_an_umlaut_are_found(self) -> None:
        """Keyboards write lv, certificates write lu."""
        assert {"lvse", "luse"} <= lexemes("绿色")

    def test_a_description_has_no_initials(self) -> None:
        """Almost any two letters would be found in it."""
        found = lexemes("净滩", about="敬老院")
        assert {"敬老", "jinglaoyuan", "jt"} <= found
        assert "jly" not in found

    def test_of_a_description_the_beginning_counts(self) -> None:
        """Both sides of the limit."""
        about = "一" * (DESCRIBED - 1) + "山水"
        assert "一山" in lexemes(about=about)
        assert "山水" not in lexemes(about=about)

    def test_without_readings_the_rest_is_there(self) -> None:
        """A listing is found by what it says from its first moment."""
        assert vector(Texts(("敬老",)), read=None) == "'敬老':1 '老':2"


class TestQuery:
    @pytest.mark.parametrize(
        ("asked", "sought"),
        [
            ("敬", "'敬':*"),
            ("敬老", "('敬老')"),
            ("敬老院", "('敬老' <-> '老院')"),
            ("JingLao", "'jinglao':*"),
            ("jìng lǎo", "'jing':* & 'lao':*"),
            ("\uff4a\uff4c", "'jl':*"),
            ("3D打印", "'3d':* & ('打印')"),
            ("敬老 敬老", "('敬老')"),
            ("it's", "'it':* & 's':*"),
            ("50%_敬老\\", "'50':* & ('敬老')"),
            ("a:*b|!c", "'a':* & 'b':* & 'c':*"),
        ],
    )
    def test_says_what_has_to_be_there(self, asked: str, sought: str) -> None:
        """Signs are between words: no text is an operator."""
        assert query(asked) == sought

    @pytest.mark.parametrize("asked", ["", " ", "！？", "%", "_", "'", "\\", "\x00"])
    def test_signs_alone_seek_nothing(self, asked: str) -> None:
        """There is no word in them."""
        assert query(asked) == ""

    def test_long_words_are_cut_as_they_are_kept(self) -> None:
        """Or nothing would be found by them."""
        assert query("x" * 1_000) == f"'{'x' * LONGEST}':*"

    def test_the_first_words_count(self) -> None:
        """Each costs a look-up."""
        asked = " ".join(f"w{number}" for number in range(MOST_ASKED + 1))
        assert query(asked).count("&") == MOST_ASKED - 1
        assert f"w{MOST_ASKED}" not in query(asked)


def test_what_has_no_reading_is_left_out() -> None:
    """Signs, other scripts, and characters that are no syllable by themselves."""
    assert syllables("敬\u3007老かAb") == ("jing", "ling", "lao")
