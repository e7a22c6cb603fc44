"""Tell people's browsers from programs by what they call themselves: link previews, crawlers, scripts, measurements."""

import re
from functools import lru_cache

# Browsers, those inside other apps included, call themselves Mozilla, or Opera where a proxy renders (Opera Mini).
# Link previews (WhatsApp/2, facebookexternalhit/1.1), scripts and scanners mostly don't.
_BROWSER = re.compile(r"mozilla/|opera/", re.IGNORECASE)
# Programs that the patterns below don't recognise by their name. Any word may begin with one (`HeadlessChrome`).
ROBOT_NAMES = (
    # Search, advertising and archives.
    "apis-google",
    "mediapartners-google",
    "feedfetcher-google",
    "googleother",
    "google-inspectiontool",
    "google-read-aloud",
    "google-extended",
    "google-safety",
    "google-site-verification",
    "google web preview",
    "googleimageproxy",
    "google favicon",
    "slurp",
    "sogou web spider",
    "screaming frog seo spider",
    "ia_archiver",
    "heritrix",
    "barkrowler",
    # Readers for language models.
    "chatgpt-user",
    "claude-user",
    "claude-web",
    "perplexity-user",
    "mistralai-user",
    "meta-externalagent",
    "meta-externalfetcher",
    "anthropic-ai",
    "cohere-ai",
    # Previews of links.
    "facebookexternalhit",
    "facebookcatalog",
    "slack-imgproxy",
    "bingpreview",
    "microsoftpreview",
    "skypeuripreview",
    "snap url preview service",
    "vkshare",
    "embedly",
    "iframely",
    # Measurements, scanners, and browsers driven by programs.
    "pingdom",
    "statuscake",
    "site24x7",
    "hetrixtools",
    "datadogsynthetics",
    "newrelicpinger",
    "gtmetrix",
    "pagespeed",
    "google page speed",
    "uptime-kuma",
    "headless",
    "lighthouse",
    "ptst/",
    "phantomjs",
    "puppeteer",
    "playwright",
    "selenium",
    "cypress/",
    "zgrab",
    "nikto",
    # Libraries.
    "python-urllib",
    "python-requests",
    "go-http-client",
    "scrapy",
    "curl/",
    "wget/",
)
# How robots name themselves, wherever it stands.
ROBOT_PATTERNS = (
    # An address to read on, or to write to; `android@81.0` is an app's version.
    r"https?://",
    r"\w@(?:[\w-]+\.)+[a-z]{2,}(?![\w-])",
    # Of browsers, only Internet Explorer and Konqueror say it.
    r"^(?!.*(?:msie|trident/|konqueror/)).*\bcompatible\s*;",
    # A browser that says more goes on with its system, in brackets.
    r"^mozilla/[\d.]+(?![\d.]|\s*(?:\(|$))",
    # `Storebot-Google/1.0`, also where the telephone's model stands. Not `hafury_CUBOT/1` and `LOGICOM_M_BOT/60`.
    r"(?:(?<!cu)(?<!(?<![a-z0-9])m)(?<!(?<![a-z0-9])m[ _.-])bot|crawler|scraper|[a-z0-9]spider|monitor(?:ing)?)s?"
    r"(?:[_-][a-z]+){0,3}/v?[0-9]",
    r"(?:spider|preview|archiver)s?(?:[_-][a-z]+){0,3}/v?[0-9]",
)
# Words that are robots without a version too, but for the names of telephones and tablets (`CUBOT`, `M BOT TAB`,
# `SPIDER X`). A word is made of letters and digits: `_` and `-` part it, as spaces do.
ROBOT_WORDS = (
    # `Bot`, `Googlebot`, `SMTBot`, `archive.org_bot`.
    r"(?:crawler|scraper|monitor(?:ing)?|bot)s?(?![a-z0-9])",
    # `Bytespider`, `360Spider`.
    r"[a-z0-9]spiders?(?![a-z0-9])",
)
# Where the model stands: beside Android, as browsers and Snapchat write it, or in Instagram's and Facebook's own list.
_MODEL = re.compile(r"\([^()]*\bAndroid\b[^()]*|\bAndroid \([^()]*|\bFBDV/[^;\]]*", re.IGNORECASE)
_ROBOT = re.compile(
    "|".join((*ROBOT_PATTERNS, rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, ROBOT_NAMES))})")), re.IGNORECASE
)
_WORD = re.compile("|".join(ROBOT_WORDS), re.IGNORECASE)
# Characters of what a program calls itself; those of apps have a few hundred.
_LONGEST = 1000
# What was found out for so many is remembered: many visitors come with the same browser.
_REMEMBERED = 512


def is_program(agent: str) -> bool:
    """Whether this User-Agent is no person's browser."""
    return _is_program(agent[:_LONGEST])


@lru_cache(_REMEMBERED)
def _is_program(agent: str) -> bool:
    return not _BROWSER.match(agent) or bool(_ROBOT.search(agent) or _WORD.search(without_model(agent)))


def without_model(agent: str) -> str:
    """Leave out what a telephone's maker has named."""
    return _MODEL.sub("", agent)
