"""Two hundred short English words in the phones of the synthesiser, by part of speech."""

_NUMBERS = """one w ah n, two t uw, three th r iy, four f ao r, five f ay v, six s ih k s, seven s eh v ah n,
eight ey t, nine n ay n, ten t eh n, some s ah m, all ao l, most m ow s t, my m ay, no n ow"""
_ADJECTIVES = """small s m ao l, tall t ao l, slow s l ow, fast f aa s t, new n uw, nice n ay s, late l ey t,
light l ay t, sweet s w iy t, free f r iy, true t r uw, low l ow, warm w ao r m, fine f ay n, neat n iy t,
silly s ih l iy, funny f ah n iy, sunny s ah n iy, lazy l ey z iy, tiny t ay n iy, mellow m eh l ow, pale p ey l,
plain p l ey n, fresh f r eh sh, silent s ay l ah n t, soft s ao f t, short sh ao r t, open ow p ah n,
empty eh m p t iy, foolish f uw l ih sh, weak w iy k, male m ey l, simple s ih m p ah l, polite p ah l ay t"""
_NOUNS = """moon m uw n, sun s ah n, son s ah n, sea s iy, ship sh ih p, sheep sh iy p, fish f ih sh, lamp l aa m p,
nose n ow z, knee n iy, leaf l iy f, tree t r iy, plane p l ey n, train t r ey n, rain r ey n, sail s ey l,
sale s ey l, tail t ey l, tale t ey l, meat m iy t, tea t iy, toe t ow, pie p ay, pea p iy, pear p eh r, pair p eh r,
plum p l ah m, lemon l eh m ah n, melon m eh l ah n, apple aa p ah l, salmon s aa m ah n, soup s uw p, rice r ay s,
salt s ao l t, milk m ih l k, wine w ay n, water w ao t r, paper p ey p r, letter l eh t r, sister s ih s t r,
painter p ey n t r, sailor s ey l r, writer r ay t r, farmer f aa r m r, uncle ah n k ah l, people p iy p ah l,
women w ih m ah n, man m aa n, men m eh n, queen k w iy n, pilot p ay l ah t, parrot p eh r ah t, cat k aa t,
kitten k ih t ah n, rat r aa t, ant aa n t, snail s n ey l, snake s n ey k, whale w ey l, fox f aa k s, lion l ay ah n,
mole m ow l, seal s iy l, knight n ay t, mail m ey l, pail p ey l, weight w ey t, note n ow t, map m aa p,
story s t ao r iy, movie m uw v iy, tune t uw n, poem p ow ah m, list l ih s t, line l ay n, name n ey m"""
_PLACES = """room r uw m, wall w ao l, roof r uw f, floor f l ao r, lake l ey k, river r ih v r, snow s n ow, ice ay s,
storm s t ao r m, wave w ey v, star s t aa r, planet p l aa n ah t, street s t r iy t, market m aa r k ah t,
station s t ey sh ah n, school s k uw l, party p aa r t iy, mill m ih l, tower t aa w r, valley v aa l iy,
forest f ao r ah s t, town t aa w n, port p ao r t, west w eh s t, film f ih l m, fire f ay r"""
_VERBS = """saw s ao, see s iy, sees s iy z, seize s iy z, meet m iy t, take t ey k, make m ey k, like l ay k,
write r ay t, knows n ow z, shows sh ow z, sells s eh l z, wants w aa n t s, follows f aa l ow z, steals s t iy l z,
saves s ey v z, leaves l iy v z, loves l ah v z, moves m uw v z, paints p ey n t s, throws th r ow z,
washes w aa sh ih z, won w ah n, ate ey t, wait w ey t, sleeps s l iy p s, swims s w ih m z, sails s ey l z,
runs r ah n z, sits s ih t s, falls f ao l z, laughs l aa f s, smiles s m ay l z, shines sh ay n z"""
_LINKS = """near n iy r, on aa n, in ih n, over ow v r, past p aa s t, for f ao r, to t uw, from f r ah m, after aa f t r,
with w ih th"""
_TIMES = """soon s uw n, twice t w ay s, often ao f ah n, slowly s l ow l iy, tonight t ah n ay t, night n ay t,
week w iy k, month m ah n th"""


def _read(text: str) -> dict[str, str]:
    entries = (entry.split(maxsplit=1) for entry in text.replace("\n", " ").split(","))
    return dict(entries)


CLASSES: dict[str, dict[str, str]] = {
    "number": _read(_NUMBERS), "adjective": _read(_ADJECTIVES), "noun": _read(_NOUNS), "place": _read(_PLACES),
    "verb": _read(_VERBS), "link": _read(_LINKS), "time": _read(_TIMES),
}  # fmt: skip
LEXICON: dict[str, str] = {
    word: phones for words in CLASSES.values() for word, phones in words.items()
}
