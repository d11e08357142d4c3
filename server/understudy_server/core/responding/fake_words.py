"""The words that made-up data is made of.

They are a part of the program, so that the same seed makes the same data with every release that keeps them: new words
are a change that is told in the changelog.
"""

from typing import Final


def _words(text: str) -> tuple[str, ...]:
    """Words between spaces."""
    return tuple(text.split())


def _listed(lines: str) -> tuple[str, ...]:
    """Names with spaces in them: between bars and at the ends of lines."""
    return tuple([name.strip() for name in lines.replace("\n", "|").split("|")])


def _pairs(lines: str) -> tuple[tuple[str, str], ...]:
    """Names, and their codes behind the last space."""
    return tuple([(name, code) for name, _, code in [each.rpartition(" ") for each in _listed(lines)]])


FIRST_NAMES_FEMALE: Final = _words(
    """Ada Alice Amara Amelia Ana Anna Aria Asha Astrid Ava Beatriz Camila Carmen Charlotte Chloe Clara Daniela Diana
    Elena Elif Elise Ella Emily Emma Esther Eva Fatima Freya Grace Greta Hana Hannah Helena Ida Imani Ines Ingrid
    Isla Ivy Jana Jasmine Julia Kaya Kira Laila Lara Layla Lea Leila Lena Lily Lina Lucia Luna Maja Mara Maria
    Marta Maya Mei Mia Mila Mina Nadia Naomi Nia Nina Nora Olivia Paula Priya Rania Rosa Ruth Sana Sara Selma
    Sofia Stella Sunita Tara Thea Uma Vera Victoria Yara Yuki Zara Zoe"""
)
FIRST_NAMES_MALE: Final = _words(
    """Aaron Adam Ahmed Aidan Ali Amir Anders Andre Anton Arjun Arthur Ben Bilal Bruno Carlos Daniel Dario David
    Diego Dylan Eduardo Elias Emil Enzo Erik Ethan Fabian Felix Finn Gabriel George Hassan Henry Hugo Ian Ibrahim
    Isaac Ivan Jack Jakob James Jamal Jan Joao Joel Jonas Jose Julian Kai Karim Kenji Kofi Lars Leo Levi Liam
    Lorenzo Luca Lucas Luis Malik Marco Mateo Max Miguel Milan Mohamed Nico Nikhil Noah Nolan Omar Oscar Otto
    Pablo Paul Pedro Rafael Ravi Ruben Sam Samir Simon Sven Theo Thomas Tomas Victor Viktor Wei Yusuf"""
)
FIRST_NAMES: Final = FIRST_NAMES_FEMALE + FIRST_NAMES_MALE
LAST_NAMES: Final = _words(
    """Abe Adams Ahmed Almeida Andersen Aoki Baker Banerjee Barros Bauer Becker Bell Berg Bianchi Blanc Brandt Brown
    Carter Castro Chen Clark Cohen Collins Cook Costa Cruz Dahl Davies Diaz Dubois Eriksen Evans Farah Fernandez
    Ferrari Fischer Fontaine Fox Garcia Gomez Grant Green Gupta Haas Hall Hansen Hassan Hayashi Hill Hoffmann
    Hughes Ito Ivanov Jansen Johnson Jones Kaya Keller Khan Kim King Klein Kovac Krause Kumar Lambert Larsen Lee
    Lehmann Lewis Li Lopez Madsen Marino Marsh Martin Martinez Mason Mehta Meyer Mills Moore Morales Moreau Mori
    Morris Muller Murphy Nakamura Nguyen Nielsen Novak Okafor Olsen Ortiz Owen Park Parker Patel Pereira Perez
    Peters Popov Price Ramos Reed Reyes Ricci Rivera Roberts Robinson Rodriguez Romano Rossi Roy Ruiz Sanders
    Santos Sato Schmidt Schneider Scott Sharma Shaw Silva Singh Smith Sousa Stein Stone Suzuki Svensson Tanaka
    Taylor Thomas Torres Turner Vargas Vega Virtanen Vogel Wagner Walker Wang Ward Watson Weber White Williams
    Wilson Wolf Wood Wright Yilmaz Young Zhang Zimmermann"""
)
CITIES: Final = _listed(
    """Ashford|Bayview|Brookhaven|Cedar Falls|Clearwater|Coldspring|Crestwood|Deerfield|Eastport|Elmwood|Fairhaven
    Fairview|Fernhill|Glenwood|Grandview|Greenfield|Greenville|Hartwell|Highland|Hillcrest|Kingsbury|Lakeside
    Lakewood|Lexford|Linden|Maplewood|Marlow|Meadowbrook|Midway|Millbrook|Newbridge|Northfield|Oakdale|Oakridge
    Pinehurst|Pleasant Hill|Port Ellen|Ravenna|Redwood|Ridgefield|Riverside|Rockport|Rosemont|Salisbury|Seaview
    Silver Lake|Southgate|Springfield|Stonebridge|Summerfield|Sunnyvale|Thornton|Union City|Valley Park
    Wakefield|Walnut Grove|Westbrook|Weston|Whitby|Willow Creek|Winchester|Woodbury"""
)
STATES: Final = _pairs(
    """Alabama AL|Alaska AK|Arizona AZ|Arkansas AR|California CA|Colorado CO|Connecticut CT|Delaware DE|Florida FL
    Georgia GA|Hawaii HI|Idaho ID|Illinois IL|Indiana IN|Iowa IA|Kansas KS|Kentucky KY|Louisiana LA|Maine ME
    Maryland MD|Massachusetts MA|Michigan MI|Minnesota MN|Mississippi MS|Missouri MO|Montana MT|Nebraska NE
    Nevada NV|New Hampshire NH|New Jersey NJ|New Mexico NM|New York NY|North Carolina NC|North Dakota ND|Ohio OH
    Oklahoma OK|Oregon OR|Pennsylvania PA|Rhode Island RI|South Carolina SC|South Dakota SD|Tennessee TN
    Texas TX|Utah UT|Vermont VT|Virginia VA|Washington WA|West Virginia WV|Wisconsin WI|Wyoming WY"""
)
"""Names and their short forms."""
COUNTRIES: Final = _pairs(
    """Argentina AR|Australia AU|Austria AT|Bangladesh BD|Belgium BE|Bolivia BO|Brazil BR|Bulgaria BG|Cameroon CM
    Canada CA|Chile CL|China CN|Colombia CO|Costa Rica CR|Croatia HR|Czechia CZ|Denmark DK|Ecuador EC|Egypt EG
    Estonia EE|Ethiopia ET|Finland FI|France FR|Germany DE|Ghana GH|Greece GR|Hungary HU|Iceland IS|India IN
    Indonesia ID|Ireland IE|Israel IL|Italy IT|Jamaica JM|Japan JP|Jordan JO|Kenya KE|Latvia LV|Lithuania LT
    Luxembourg LU|Malaysia MY|Malta MT|Mexico MX|Morocco MA|Nepal NP|Netherlands NL|New Zealand NZ|Nigeria NG
    Norway NO|Pakistan PK|Panama PA|Peru PE|Philippines PH|Poland PL|Portugal PT|Romania RO|Rwanda RW|Senegal SN
    Serbia RS|Singapore SG|Slovakia SK|Slovenia SI|South Africa ZA|South Korea KR|Spain ES|Sri Lanka LK
    Sweden SE|Switzerland CH|Tanzania TZ|Thailand TH|Tunisia TN|Turkey TR|Uganda UG|Ukraine UA
    United Arab Emirates AE|United Kingdom GB|United States US|Uruguay UY|Vietnam VN|Zambia ZM"""
)
"""Names and their codes of two letters (ISO 3166-1)."""
CURRENCIES: Final = _words(
    """AUD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HUF IDR ILS INR JPY KES KRW MAD MXN MYR NGN NOK NZD PEN PHP
    PLN RON SEK SGD THB TRY UAH USD VND ZAR"""
)
"""Codes of ISO 4217."""
TIME_ZONES: Final = _words(
    """Africa/Cairo Africa/Johannesburg Africa/Lagos Africa/Nairobi America/Bogota America/Chicago America/Denver
    America/Los_Angeles America/Mexico_City America/New_York America/Sao_Paulo America/Toronto Asia/Bangkok
    Asia/Dubai Asia/Jakarta Asia/Kolkata Asia/Seoul Asia/Shanghai Asia/Singapore Asia/Tokyo Australia/Sydney
    Europe/Amsterdam Europe/Berlin Europe/Istanbul Europe/Lisbon Europe/London Europe/Madrid Europe/Paris
    Europe/Rome Europe/Stockholm Europe/Warsaw Pacific/Auckland"""
)
LANGUAGES: Final = _pairs(
    """Arabic ar|Bengali bn|Chinese zh|Czech cs|Danish da|Dutch nl|English en|Finnish fi|French fr|German de
    Greek el|Hebrew he|Hindi hi|Hungarian hu|Indonesian id|Italian it|Japanese ja|Korean ko|Norwegian no
    Polish pl|Portuguese pt|Romanian ro|Spanish es|Swahili sw|Swedish sv|Thai th|Turkish tr|Ukrainian uk|Urdu ur
    Vietnamese vi"""
)
"""Names and their codes (ISO 639-1)."""
STREETS: Final = _listed(
    """Acorn|Bridge|Canal|Castle|Cedar|Chapel|Cherry|Church|Elm|Falcon|Field|Forest|Garden|Grove|Harbor|Hazel|High
    Hill|Ivy|King|Lake|Laurel|Lincoln|Linden|Magnolia|Main|Maple|Market|Meadow|Mill|Mulberry|North|Oak|Orchard
    Park|Pine|Poplar|Prospect|Queen|Ridge|River|Rose|School|South|Spring|Station|Sunset|Sycamore|Union|Valley
    Vine|Walnut|Water|West|Willow|Windsor"""
)
STREET_KINDS: Final = _listed("Street|Avenue|Road|Lane|Drive|Way|Court|Place|Terrace|Boulevard")
COMPANY_KINDS: Final = _listed("Inc|LLC|Ltd|Group|& Sons|& Co|Partners|Holdings|Labs|Works|Systems|Logistics")
JOB_LEVELS: Final = _listed("Junior|Senior|Lead|Principal|Assistant|Chief|Deputy|Associate")
JOBS: Final = _listed(
    """Accountant|Actuary|Analyst|Architect|Baker|Biologist|Bookkeeper|Buyer|Carpenter|Chef|Chemist|Consultant
    Copywriter|Counsellor|Curator|Designer|Developer|Editor|Electrician|Engineer|Event Planner|Farmer|Geologist
    Illustrator|Interpreter|Journalist|Lawyer|Lecturer|Librarian|Mechanic|Midwife|Nurse|Optician|Paramedic
    Pharmacist|Photographer|Physicist|Pilot|Planner|Plumber|Product Manager|Project Manager|Psychologist
    Recruiter|Researcher|Sales Manager|Social Worker|Statistician|Surveyor|Teacher|Technician|Translator
    Underwriter|Veterinarian|Welder|Writer"""
)
PRODUCT_QUALITIES: Final = _listed(
    """Classic|Compact|Cotton|Deluxe|Durable|Elegant|Everyday|Fresh|Handmade|Heavy|Leather|Light|Modern|Oak|Organic
    Portable|Premium|Quiet|Recycled|Rustic|Sleek|Small|Smart|Soft|Solid|Steel|Sturdy|Vintage|Wireless|Wooden"""
)
PRODUCTS: Final = _listed(
    """Backpack|Bag|Bench|Bicycle|Blanket|Bottle|Bowl|Camera|Candle|Chair|Clock|Coat|Desk|Fan|Gloves|Hat|Headphones
    Jacket|Kettle|Keyboard|Lamp|Mirror|Mouse|Mug|Notebook|Pan|Pen|Pillow|Plate|Radio|Scarf|Shelf|Shirt|Shoes
    Sofa|Speaker|Table|Tent|Towel|Umbrella|Vase|Wallet|Watch"""
)
WORDS: Final = _words(
    """able about above across after again air all almost along also always among answer any area around ask away
    back base be beauty because become before begin behind believe below best better between big bird black blue
    board boat body book both box bread bring brother build busy buy call came can car care carry catch cause
    center change chart check child circle city class clean clear climb close cloud coast cold color come common
    complete control cook cool copy corner correct cost count country course cover create cross cry cut dance dark
    day decide deep develop differ direct distance dog door down draw dream dress drive dry during early earth
    east easy eat edge effect end energy engine enough equal even evening ever every example eye face fact family
    far farm fast father feel few field figure fill final find fine finish fire first fish five floor flow flower
    fly follow food force forest form forward four free fresh friend front full game garden gather give glass gold
    good govern grand grass great green ground group grow half hand happy hard hear heart heat heavy help here
    high hill history hold home hope horse hour house hundred idea inch include interest island join jump keep key
    kind know land language large last late laugh lead learn leave left less letter level life light like line
    list listen little live long look love low machine main make many map mark market matter meet middle mile milk
    mind minute moment money month moon more morning most mountain move much music name nation nature near need
    never new next night north note notice number object ocean offer often oil old only open order other over own
    page paint paper part pass past path pattern pay people perhaps picture piece place plain plan plane plant
    play please point port pose possible power present press probable problem produce product proper pull question
    quick quiet race rain raise range reach read ready real reason receive record red region remember repeat rest
    result rich ride right ring rise river road rock room round rule run safe sail same sand say scale school
    science sea season second see seed sentence serve set seven several shape share shine ship shore short show
    side sign silver simple since sing sister size skin sleep slow small snow soft soil solve some song soon sound
    south space speak special spell spring square stand star start state station stay step still stone stop store
    story straight street strong student study summer sun sure surface table take talk teach tell ten test their
    then think third thought thousand three through time together told top toward town track trade train travel
    tree true try turn type under unit until usual valley value various view village voice wait walk wall want
    warm watch water wave way weather week well west wheel white whole wide wild wind winter wish wonder wood word
    work world write year yellow young"""
)
COLORS: Final = _words(
    """amber aqua azure beige black blue bronze brown coral crimson cyan gold gray green indigo ivory khaki lavender
    lime magenta maroon mint navy olive orange orchid pink plum purple red rose salmon sand silver tan teal
    turquoise violet white yellow"""
)
MONTHS: Final = _words("January February March April May June July August September October November December")
DAYS: Final = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
USER_AGENTS: Final = tuple(
    f"Mozilla/5.0 ({system}) {engine}"
    for system in (
        "Windows NT 10.0; Win64; x64",
        "Macintosh; Intel Mac OS X 10_15_7",
        "X11; Linux x86_64",
        "iPhone; CPU iPhone OS 17_5 like Mac OS X",
        "Linux; Android 14; Pixel 8",
    )
    for engine in (
        "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
        "Gecko/20100101 Firefox/127.0",
    )
)
MIME_TYPES: Final = _words(
    """application/json application/pdf application/xml application/zip audio/mpeg image/gif image/jpeg image/png
    image/svg+xml text/css text/csv text/html text/plain video/mp4"""
)
FILE_ENDINGS: Final = _words("csv docx gif html jpg json mp3 mp4 pdf png pptx svg txt xlsx xml zip")
