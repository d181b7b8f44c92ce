"""Which first names may be one person's: short names, names of either sex, and spellings of one name.

The list of the `nicknames` package is good enough to ask by, and not to link by: it pairs Bill with Robert, Patrick with Peter, Hannah with
Susan and Ron with Cameron, who may be brothers, sisters or a couple under one e-mail address. A link by itself needs a pair of this page:
a short name that is hardly ever a full name of its own, and whose full names are all a man's or all a woman's.
"""

from functools import lru_cache

from nicknames import NickNamer

SAME, EITHER, OWN, PERHAPS, OTHER = "same", "either", "own", "perhaps", "other"

# full name: its short names. Cyrillic, Greek and other names stand here in plain letters.
_SHORT = """
abigail: abby abbie; abraham: abe; agnes: aggie; albert: bert bertie; alfred: fred freddie alf alfie; amanda: mandy; andrew: andy drew;
angela: angie; anthony: tony; antonio: tono; arthur: art; augustus: gus; barbara: barb barbie babs; bartholomew: bart; beatrice: bea
trixie; benjamin: ben benny benji; bernard: bernie; bradley: brad; calvin: cal; catherine: cathy kathy kate katie cate kay; charles:
charlie chuck chas chaz; clifford: cliff; cynthia: cindy; daniel: dan danny; david: dave davey davy; deborah: deb debbie debby; dennis:
denny; donald: don donnie donny; dorothy: dot dottie dolly; douglas: doug; edgar: ed eddie; edmund: ed eddie ned; edward: ed eddie eddy
ned ted teddy; edwin: ed eddie; eleanor: ellie nell nellie nora; elizabeth: liz lizzie lizzy beth betty betsy bess bessie eliza libby
lisbeth; emily: em emmy; eugene: gene; ezekiel: zeke; florence: flo flossie; franklin: frank; frederick: fred freddie freddy; gabriella:
gabby; geoffrey: geoff; jeffrey: jeff; gerard: gerry; nicole: nicki nikki; maurice: mo; stanley: stan; lucinda: cindy; gerald: gerry
jerry; gilbert: gil; gregory: greg gregg; gwendolyn: gwen; harold: hal harry; harriet: hattie; henry: hank harry; herbert: herb bert;
howard: howie; ignatius: iggy; irving: irv; isaac: ike; isabella: izzy bella; jacob: jake; jacqueline: jackie; james: jim jimmy jimmie;
janet: jan; jeremiah: jerry; jeremy: jerry; jennifer: jen jenny jenn jenni; jessica: jess jessie; john: jack johnny johnnie; jonathan:
jon; joseph: joe joey; joshua: josh; judith: judy judi; julian: jules; katherine: kate kathy katie kay kat kitty; kathleen: kathy kate
katie kathie; kenneth: ken kenny; kimberly: kim; lawrence: larry; leonard: len lenny leo; lillian: lil lily; louis: lou; lucille: lucy;
madeline: maddie; magdalena: lena; margaret: peggy peg maggie meg madge marge margie daisy greta gretchen rita; maria: ma; marjorie: marge
margie; matilda: tilly tillie; matthew: matt; maximilian: max; maxwell: max; melissa: missy; michael: mike mikey mick; mildred: millie;
mitchell: mitch; mordecai: mort; nancy: nan; nathan: nate; nathaniel: nate nat; nicholas: nick; norman: norm; olivia: liv livvy; oliver:
ollie; oscar: ozzie; pamela: pam; patricia: trish trisha tricia patty patti patsy; percival: percy; peter: pete; philip: phil; priscilla:
cilla; rachel: rach; raymond: ray; rebecca: becky becca; reginald: reg reggie; richard: rick ricky dick rich richie; robert: bob bobby
rob; rodney: rod; roger: rog; ronald: ron; rosalind: roz; russell: russ; ruth: ruthie; sebastian: seb; solomon: sol; stanley: stan;
stephen: steve stevie; susan: sue susie suzie; suzanne: sue susie; sylvester: sly; tabitha: tabby; thaddeus: thad; theodore: ted teddy
theo; theresa: tess tessa terri; thomas: tom tommy; timothy: tim timmy; tobias: toby; ulysses: uly; valentine: val; veronica: ronnie;
victoria: vicky vicki vickie tori; vincent: vince vinny; virginia: ginny ginger; walter: walt wally; wesley: wes; wilhelmina: mina minnie;
william: bill billy will willie willy; winifred: winnie; zachary: zach zack; alberto: beto; alejandra: ale; alejandro: ale; antonia: tona;
bautista: bauti; beatriz: bety; carlos: carlitos; concepcion: concha conchita; consuelo: chelo; cristina: cris; dolores: lola; eduardo:
edu lalo; enrique: quique kike; ernesto: neto; federico: fede; felipe: pipe; fernando: nando fer; francisca: paca; francisco: paco pancho
curro; gabriel: gabo; gerardo: lalo; graciela: chela; gregorio: goyo; guadalupe: lupe lupita; guillermo: memo guille; gustavo: tavo;
ignacio: nacho; isabel: chabela isa; javier: javi; jesus: chuy chucho; jorge: coque; jose: pepe; josefina: pepa fina; juan: juancho; luis:
lucho; manuel: manolo manny; maria teresa: maite; mercedes: meche merche; miguel: migue; pedro: perico; rafael: rafa; ramon: moncho;
ricardo: richi; roberto: beto; rodrigo: rodri; rosario: charo; salvador: chava; santiago: santi; sergio: checo; soledad: sole; teresa:
tere; vicente: chente; yolanda: yoli; anastasia: nastya; anatoliy: tolya; andrey: andrusha; boris: borya; dmitriy: dima mitya; ekaterina:
katya katia; elena: lena; galina: galya; grigoriy: grisha; irina: ira; ivan: vanya; konstantin: kostya; kseniya: ksyusha; lyudmila: lyuda
mila; mikhail: misha; nadezhda: nadya; natalya: natasha; nikolay: kolya; oksana: ksana; olga: olya; pavel: pasha; petr: petya; sergey:
seryozha; svetlana: sveta; tatyana: tanya tania; vasiliy: vasya; viktor: vitya; vladimir: vova volodya; vyacheslav: slava; yelena: lena;
yuriy: yura; alexey: lyosha alyosha; friedrich: fritz; heinrich: heinz heiner; johannes: hannes hans; josef: sepp; katharina: kathi kathe;
margarete: grete greta gretel; nikolaus: klaus; stefanie: steffi; susanne: susi; wolfgang: wolf; joachim: achim jochen; elisabeth: lisbeth
elsbeth sissi; matthias: matze; sebastian: basti; tobias: tobi; konstantinos: kostas; dimitrios: dimitris mitsos; georgios: giorgos;
ioannis: yannis giannis; nikolaos: nikos; panagiotis: panos; vasileios: vasilis; eleni: lena
"""

# Short for a man's and for a woman's name alike: who wrote it may be the other one of the couple, or the twin.
_EITHER = """
chris: christopher christian christoph christos kristopher christina christine christa christiana kristina kristine kristen kristin; alex:
alexander alexandra alexandria alexis alejandro alejandra aleksandr aleksandra; sam: samuel samantha samson; sammy: samuel samantha; pat:
patrick patricia; nicky: nicholas nicole; charlie: charlotte; val: valerie valentine; lou: louise louisa lucille; ray: rachel; robbie:
robert roberta; bobbie: robert barbara roberta; max: maxine; mel: melvin melissa melanie; steph: stephen stephanie; dani: daniel daniela
danielle; gabi: gabriel gabriela gabriele; gabby: gabriel gabriela; vic: victor victoria; lee: leroy leanne leslie; les: leslie lester;
terry: terence theresa teresa; frankie: frank frances francis franklin; fran: frances francis francisco francisca; ronnie: ronald; jo:
joseph joanna joanne josephine johanna; jackie: john jackson; jess: jesse; jamie: james; ali: alison alistair alice; sandy: alexander
alexandra sandra; sasha: aleksandr aleksandra alexander alexandra; zhenya: evgeniy evgeniya; valya: valentin valentina; slava: svyatoslav
stanislava; uli: ulrich ulrike; nico: nicolas nicole; guadalupe: lupe; cris: cristian cristobal cristina; ale: alejandro alejandra; andi:
andreas andrea; toni: anton antonia antonio; kim: kimball; ash: ashley asher; drew: drusilla
"""

# Short names that are given as names of their own as well: John's son may be Jack, and Margaret's sister Greta.
_OWN = """
rita greta gretchen grete gretel daisy nan kay kim jan jon leo theo max eliza bella nora lucy jack harry gene jerry drew ellie lena mila
natasha tania tanya nadya katia katya lola mina minnie maite fina lily tess tessa tori toby kate beth betty libby maggie meg mandy jake
ray millie tilly winnie hans hannes klaus jochen heinz heiner lou lupe ginger lil ruthie kitty kat val art gus cal frank alf freddie teddy
abby emmy olya vera terri jess
"""

# Spellings of one name: nobody gives them to two children.
_SPELLINGS = """
sara sarah; catherine katherine kathryn catharine katharine kathrin katrin cathryn; stephen steven; philip phillip; brian bryan; geoffrey
jeffrey; geoff jeff; eric erik; teresa theresa; matthew mathew; michael micheal; ann anne; maryann maryanne; lynn lynne; deborah debra;
allison alison; allan alan allen; lawrence laurence; marc mark; jeffrey jeffery; nicholas nicolas; rebecca rebekah; rachel rachael; hannah
hanna; anthony antony; frederick fredrick frederic; gregory greggory; kristen kristin; isabel isabelle; elizabeth elisabeth; susan suzan;
vivian vivien; zachary zachery zackary; jonathan johnathan jonathon johnathon; caitlin kaitlyn katelyn kaitlin; zoe zoey; mohammed
muhammad mohamed mohammad muhammed mohamad mehmed mahomet mohd; ahmed ahmad ahmet; hussein hussain husain hossein hosein husayn; hassan
hasan; yusuf youssef yousef yousuf; abdullah abdallah abdulla; ali aly; omar umar omer; fatima fatimah fatma fatemeh; aisha aysha ayesha
aicha; ibrahim ebrahim; mustafa mostafa moustafa; khalid khaled; said saeed; maryam mariam; zainab zaynab zeinab; hamza hamzah; ismail
ismael; osman uthman othman; noor nour nur; layla leila laila leyla; alexander aleksandr alexandr aleksander oleksandr; alexandra
aleksandra oleksandra; sergey sergei serhii sergiy; alexey aleksey aleksei alexei oleksii; andrey andrei andriy andrii; dmitry dmitri
dmitriy dimitri dmytro; yuri yuriy yury iurii yurii; natalia natalya nataliya; tatiana tatyana tetiana; julia yulia yuliya yuliia iuliia;
maria mariya mariia; anastasia anastasiya anastasiia; victoria viktoria viktoriya; victor viktor; yelena elena olena; kseniya xenia ksenia
kseniia; mikhail mykhailo mihail; nikolay nikolai mykola; vladimir volodymyr volodimir wladimir; eugene evgeny evgeniy yevgeny yevhen;
peter petr pyotr petro; ekaterina yekaterina kateryna; svetlana svitlana; vasily vasiliy vasyl; lyudmila ludmila liudmyla; georgios
giorgos yiorgos; ioannis yannis giannis yiannis; nikolaos nicolaos; konstantinos constantinos; carl karl; christoph kristof christof; ralf
ralph; guenter guenther gunter gunther; kurt curt; jorg joerg; jurgen juergen; bjorn bjoern; soren soeren; johann johan; jakob jacob;
josef joseph; sophie sofie; sofia sophia; clara klara; monika monica; erika erica; marcus markus; lukas lucas
"""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\n", " ").split(";") if line.strip()]


@lru_cache(maxsize=1)
def _spellings() -> dict[str, int]:
    return {name: number for number, line in enumerate(_lines(_SPELLINGS)) for name in line.split()}


@lru_cache(maxsize=1)
def _pairs() -> dict[frozenset[str], str]:
    """What each pair of names of this page means; a name of either sex is one wherever it stands."""
    pairs: dict[frozenset[str], str] = {}
    for text, kind in ((_SHORT, SAME), (_EITHER, EITHER)):
        for line in _lines(text):
            name, _, others = line.partition(":")
            pairs |= {frozenset({_one_spelling(name), _one_spelling(other)}): kind for other in others.split()}
    return pairs


def _one_spelling(name: str) -> str:
    """A name as the first of its spellings, so that Bob is short for every Robert."""
    number = _spellings().get(name)
    return name if number is None else _lines(_SPELLINGS)[number].split()[0]


@lru_cache(maxsize=1)
def _package() -> NickNamer:
    return NickNamer()


@lru_cache(maxsize=8192)
def alike(a: str, b: str) -> str:
    """SAME for two forms of one name, EITHER for a short name that both sexes have, OWN for one that is also a name of its own.

    PERHAPS where only the package pairs them, else OTHER.
    """
    if _one_spelling(a) == _one_spelling(b):
        return SAME
    kind = _pairs().get(frozenset({_one_spelling(a), _one_spelling(b)}))
    if kind == SAME and {a, b} & _own_names():
        return OWN
    return kind or (PERHAPS if _perhaps(a, b) else OTHER)


@lru_cache(maxsize=1)
def _own_names() -> frozenset[str]:
    return frozenset(_OWN.split())


def _perhaps(a: str, b: str) -> bool:
    known = _package()
    return b in known.nicknames_of(a) or a in known.nicknames_of(b) or bool(full_names(a) & full_names(b))


@lru_cache(maxsize=4096)
def full_names(name: str) -> frozenset[str]:
    """The names that this one is short for."""
    return frozenset(_package().canonicals_of(name)) | frozenset(
        line.partition(":")[0] for line in _lines(_SHORT) if name in line.partition(":")[2].split()
    )


@lru_cache(maxsize=4096)
def forms_of(name: str) -> frozenset[str]:
    """Every form under which a person of this first name may have signed: itself, its spellings, its short and its full names."""
    ours = _one_spelling(name)
    paired = {other for pair in _pairs() if ours in pair for other in pair}
    spelled = {other for other, number in _spellings().items() if number in {_spellings().get(one) for one in paired | {ours}}}
    return frozenset({name, *paired, *spelled, *_package().nicknames_of(name), *_package().canonicals_of(name)})
