"""Tell people's browsers from programs by what they call themselves: link previews, crawlers, scripts, measurements."""

import re
from functools import lru_cache

# Browsers, those inside other apps included, call themselves Mozilla, or Opera where a proxy renders (Opera Mini).
# Link previews (WhatsApp/2, facebookexternalhit/1.1), scripts and scanners mostly don't.
_BROWSER = re.compile(r"mozilla/|opera/", re.IGNORECASE)
# Programs that ROBOT_PATTERNS don't recognise by their name. Any word may begin with one (`HeadlessChrome`).
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
)
# How robots name themselves. A word is made of letters and digits: `_` and `-` part it, as spaces do.
ROBOT_PATTERNS = (
    # An address to read on, or to write to; `android@81.0` is an app's version.
    r"https?://",
    r"\w@(?:[\w-]+\.)+[a-z]{2,}(?![\w-])",
    # `Bot`, `Googlebot`, `SMTBot`, `archive.org_bot`. Not `CUBOT` and `M BOT`, which are telephones and tablets.
    r"(?<![a-z0-9])(?:(?<!(?<![a-z0-9])m[ _-])bot|(?!(?:cu|m)bots?(?![a-z0-9]))[a-z0-9]+bot)s?(?![a-z0-9])",
    # `crawler`, `LinkCrawler`, `Monitor`, `SiteMonitoring`.
    r"(?:crawler|scraper|monitor(?:ing)?)s?(?![a-z0-9])",
    # `Bytespider`, but not `SPIDER X`, a telephone, unless it has a version or says that it is no browser.
    r"(?<![a-z0-9])[a-z0-9]+spiders?(?![a-z0-9])",
    r"compatible; [^;)]{0,60}spider(?![a-z0-9])",
    r"(?:spider|preview|archiver)s?(?:[_-][a-z]+){0,3}/v?[0-9]",
)
_ROBOT = re.compile(
    "|".join((*ROBOT_PATTERNS, rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, ROBOT_NAMES))})")), re.IGNORECASE
)
# Characters of what a program calls itself; those of apps have a few hundred.
_LONGEST = 1000
# What was found out for so many is remembered: many visitors come with the same browser.
_REMEMBERED = 512


def is_program(agent: str) -> bool:
    """Whether this User-Agent is no person's browser."""
    return _is_program(agent[:_LONGEST])


@lru_cache(_REMEMBERED)
def _is_program(agent: str) -> bool:
    return _BROWSER.match(agent) is None or _ROBOT.search(agent) is not None
