"""How names of other scripts are written in plain letters. More than one way may be right: Щ is shch or sch, ü is u or ue.

Each letter knows the ways in which passports, schools and families write it; a plain name is the same name where they lead through all
of it. Kanji read in Japanese are beyond this: there they lead nowhere, and somebody is asked.
"""

import unicodedata
from functools import lru_cache

from anyascii import anyascii


def _table(text: str) -> dict[str, str]:
    """One "letter=way|way" for each letter; an empty way means that the letter may be left out."""
    return dict(entry.split("=") for entry in text.split())


def _in_order(text: str) -> list[str]:
    return text.split()


_CYRILLIC = _table("""
а=a б=b г=g|h д=d з=z к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u|ou ф=f в=v|w|ff е=e|ye|ie|je ё=yo|e|io|jo|ye|o ж=zh|j|z и=i|y|ee
й=y|i|j| х=kh|h|ch|x ц=ts|c|tz ч=ch|tch ш=sh|sch щ=shch|sch|sh ъ=|' ы=y|i ь=|'|i|y э=e ю=yu|iu|ju|u я=ya|ia|ja|a і=i|y ї=yi|i|ji
є=ye|ie|e|je ґ=g ў=u|w ђ=dj|d ј=j|y љ=lj њ=nj ћ=c|ch џ=dz кс=ks|x ий=iy|y|i|ij|ii|yy|yi ый=yy|y|iy|yi ій=iy|ii|y|i|ij
ия=ia|iya|ija|ja|ya ія=ia|iia|iya|ija|ya ья=ia|ya|iya|ja|ja лия=lia|liya|lya|lija лія=liia|lia|liya|lya
""")
_GREEK = _table("""
α=a δ=d ε=e ζ=z ι=i|y κ=k|c λ=l μ=m ν=n ο=o π=p ρ=r σ=s τ=t ς=s ω=o β=v|b γ=g|y|gh|j η=i|e|h|ee θ=th|t ξ=x|ks υ=y|i|u φ=f|ph
χ=ch|h|kh|x ψ=ps ου=ou|u|oo αι=ai|e|ae ει=ei|i|e οι=oi|i|e αυ=av|af|au ευ=ev|ef|eu γγ=ng|gg γκ=gk|g|k|ng μπ=mp|b|mb ντ=nt|d|nd
τζ=tz|ts|j γι=gi|yi|y|ghi|ji
""")
_ARABIC = _table("""
ب=b ت=t د=d ر=r ز=z س=s ص=s|ss ط=t ف=f|ph ك=k|c ل=l م=m ن=n ه=h ک=k گ=g پ=p ا=a|aa|e| أ=a|e|o|u| إ=i|e|a آ=a|aa ى=a|y|i ة=a|ah|at|eh|e
ث=th|s|t ج=j|g|dj|dg ح=h خ=kh|h|x ذ=dh|th|z|d ش=sh|ch ض=d|dh|z ظ=z|dh|th ع=a|e|o|'| غ=gh|g ق=q|k|g|c و=w|u|ou|oo|o|v|aw|ow
ي=y|i|ee|ei|ai|ay|ey|ie|e ی=y|i|ee|ei|ai|ay|ey|ie|e ئ=|e|y|i ؤ=o|u| ء=|' چ=ch ژ=zh|j ال=al|el|al-|el-|ul
""")
_HEBREW = _table("""
ב=b|v ג=g ד=d ז=z ט=t ל=l ם=m מ=m ן=n נ=n ס=s ף=f|p פ=p|f|ph ץ=ts|tz|z צ=tz|ts|z ר=r א=a|e|i|o| ה=h|ah|eh|a|e| ו=v|o|u|w|oo ח=ch|h|kh
י=y|i|e|j כ=k|ch|kh|c ך=ch|kh|k ע=a|e|o| ק=k|q|c ש=sh|s ת=t|th
""")
_LATIN = _table("""
ä=a|ae ö=o|oe ü=u|ue|y å=a|aa ø=o|oe æ=ae|a|e œ=oe|o|e ß=ss|s đ=d|dj|dh ð=d|th|dh þ=th|t č=c|ch|tch ć=c|ch š=s|sh|sch ś=s|sh ş=s|sh
ș=s|sh ž=z|zh ż=z|zh ź=z ç=c|ch|s ñ=n|ny|ni ý=y|i ř=r|rz ğ=g|gh| ı=i ț=t|ts
""")
# The parts of a Korean syllable, in Unicode's order.
_JAMO_FIRST = _in_order("""
g|k kk|gg|k n d|t tt|dd|t r|l m b|p pp|bb s|sh ss|s | j|ch|z jj|tch ch k t p h
""")
_JAMO_VOWEL = _in_order("""
a|ah ae|ai|e ya yae eo|u|o|ou|uh e|ae|ay yeo|you|yu|yo|u ye|yeh o|oh wa wae|we oe|we|oi yo u|oo|woo|ou wo|weo|wu we wi|wee|ui
yu|yoo|you|u eu|u|oo ui|eui|ee|i i|ee|y|yi
""")
_JAMO_LAST = _in_order("""
|h k|g|ck k k n n n t|d l|r k m p l l l l m p|b p t|s t|ss ng t|j t|ch k t p t|h
""")
# Family names keep the spelling that a family once chose.
_KOREAN_FAMILIES = _table("""
김=kim|gim 이=lee|yi|i|rhee|ri|li 박=park|bak|pak 최=choi|choe|chey 정=jung|jeong|chung|cheong 강=kang|gang 조=cho|jo 윤=yoon|yun|youn
장=jang|chang 임=lim|im|yim|rim 오=oh|o 서=seo|suh|so 신=shin|sin 권=kwon|gwon 안=ahn|an 유=yoo|yu|you|ryu 류=ryu|yoo|yu|ryoo 고=ko|go|koh
문=moon|mun 손=son|sohn 백=baek|paik|back 노=noh|no|roh|ro 우=woo|u|wu 허=heo|hur|huh 남=nam 심=shim|sim 전=jeon|jun|chun 황=hwang|whang
""")
_HAN = _table("""
陳=chen|chan|tan|chin 陈=chen|chan|tan|chin 王=wang|wong|ong 李=li|lee|lei 黃=huang|wong|ng|hwang|ooi 黄=huang|wong|ng|hwang|ooi
林=lin|lam|lim|lum 吳=wu|ng|goh|woo 吴=wu|ng|goh|woo 張=zhang|chang|cheung|teo|cheong 张=zhang|chang|cheung|teo|cheong 劉=liu|lau|low|lew
刘=liu|lau|low|lew 周=zhou|chou|chow|chew 蔡=cai|tsai|choi|chua|choy 楊=yang|yeung|young|yeo 杨=yang|yeung|young|yeo 許=xu|hsu|hui|koh|khoo
许=xu|hsu|hui|koh|khoo 鄭=zheng|cheng|tay|chang 郑=zheng|cheng|tay|chang 謝=xie|hsieh|tse|chia 谢=xie|hsieh|tse|chia 郭=guo|kuo|kwok|quek
何=he|ho 朱=zhu|chu|choo 徐=xu|hsu|tsui|chui 趙=zhao|chao|chiu 赵=zhao|chao|chiu 孫=sun|suen|soon 孙=sun|suen|soon 馬=ma|mah 马=ma|mah
胡=hu|wu|woo|oh 高=gao|kao|ko 羅=luo|lo|law 罗=luo|lo|law 梁=liang|leung|leong|neo 宋=song|sung|soong 葉=ye|yeh|ip|yip|yap
叶=ye|yeh|ip|yip|yap 曾=zeng|tseng|tsang|chan 鄧=deng|teng|tang 邓=deng|teng|tang 馮=feng|fung|fong 冯=feng|fung|fong 蘇=su|so|soh
苏=su|so|soh 盧=lu|lo|loo 卢=lu|lo|loo 蕭=xiao|hsiao|siu|seow 萧=xiao|hsiao|siu|seow 江=jiang|chiang|kong 余=yu|yee|yue 潘=pan|poon|phua
杜=du|tu|to 沈=shen|sum|sim 呂=lu|lui|lyu|lee 吕=lu|lui|lyu|lee 姜=jiang|chiang|keung 方=fang|fong 侯=hou|hau 邱=qiu|chiu|yau|khoo
袁=yuan|yuen 賴=lai 赖=lai 龍=long|lung 龙=long|lung
""")
# Where the short vowels are left out, one may follow any letter, and a letter may be doubled.
_ABJADS = ("ARABIC", "HEBREW")
_UNWRITTEN = ("", "a", "e", "i", "o", "u")
_LONGEST_PIECE = 3
_TABLES = {"CYRILLIC": _CYRILLIC, "GREEK": _GREEK, "ARABIC": _ARABIC, "HEBREW": _HEBREW}

Ways = tuple[str, ...]


def is_plain(name: str) -> bool:
    """Whether a name has nothing but the plain letters of English."""
    return name.isascii()


def is_latin(name: str) -> bool:
    """Whether a name is written in Latin letters, with accents or without."""
    return all(unicodedata.name(letter, "").startswith("LATIN") for letter in name if letter.isalpha())


@lru_cache(maxsize=8192)
def may_be_written(name: str, plain: str) -> bool:
    """Whether `plain` is one of the ways to write `name`, which has letters that are not plain. Both in lower case, without spaces."""
    reached = {0}
    for ways in _spelled(name):
        # Not a regular expression: a visitor may write anything, and these would take years over some of it.
        reached = {at + len(way) for at in reached for way in ways if plain.startswith(way, at)}
    return len(plain) in reached


@lru_cache(maxsize=4096)
def _spelled(name: str) -> tuple[Ways, ...]:
    """The ways to write each letter of a name, in their order."""
    script = _script_of(name)
    if script == "HANGUL":
        return tuple(ways for letter in name for ways in _korean_syllable(letter, alone=len(name) == 1))
    if script == "CJK":
        return tuple(_ways(_HAN.get(letter) if len(name) == 1 else None, letter) for letter in name)
    table = _TABLES.get(script, _LATIN)
    letters = [_ways(table.get(piece), piece) for piece in _pieces(_composed(name, script), table)]
    return tuple(ways for letter in letters for ways in _with_vowels(letter)) if script in _ABJADS else tuple(letters)


def _script_of(name: str) -> str:
    foreign = next((letter for letter in name if letter.isalpha() and not letter.isascii()), "a")
    return unicodedata.name(foreign, "LATIN").split(" ")[0]


def _composed(name: str, script: str) -> str:
    """Latin and Cyrillic letters are whole ones (ü, й); elsewhere accents and points say nothing about the spelling."""
    if script in ("LATIN", "CYRILLIC"):
        return unicodedata.normalize("NFC", name)
    whole = unicodedata.normalize("NFC" if script == "ARABIC" else "NFD", name)
    return "".join(letter for letter in whole if not unicodedata.combining(letter))


def _pieces(name: str, table: dict[str, str]) -> list[str]:
    """The name cut into the longest pieces that the table knows."""
    pieces, at = [], 0
    while at < len(name):
        piece = next((name[at : at + size] for size in range(_LONGEST_PIECE, 1, -1) if name[at : at + size] in table), name[at])
        pieces.append(piece)
        at += len(piece)
    return pieces


def _ways(ways: str | None, letter: str) -> Ways:
    return tuple((anyascii(letter).lower() if ways is None else ways).split("|"))


def _with_vowels(letter: Ways) -> tuple[Ways, Ways]:
    return letter + tuple(way * 2 for way in letter), _UNWRITTEN


def _korean_syllable(letter: str, *, alone: bool) -> tuple[Ways, ...]:
    number = ord(letter) - 0xAC00
    if alone and letter in _KOREAN_FAMILIES:
        return (_ways(_KOREAN_FAMILIES[letter], letter),)
    if not 0 <= number < 19 * 21 * 28:
        return (_ways(None, letter),)
    first, vowel, last = number // (21 * 28), number // 28 % 21, number % 28
    return _ways(_JAMO_FIRST[first], ""), _ways(_JAMO_VOWEL[vowel], ""), _ways(_JAMO_LAST[last], "")
