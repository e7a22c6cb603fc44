"""What telephones, tablets and their apps say of themselves, and what robots do."""

from .conftest import PHONE

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36"


def _android(system: str, model: str, *, app: str = "", chrome: str = "120.0.6099.144") -> str:
    """Chrome, or the view of an app that says so, on a telephone of this model."""
    view = "; wv" if app else ""
    version = "Version/4.0 " if app else ""
    agent = (
        f"Mozilla/5.0 (Linux; Android {system}; {model}{view}) {_WEBKIT} {version}Chrome/{chrome} Mobile Safari/537.36"
    )
    return f"{agent} {app}".rstrip()


_INSTAGRAM = "Instagram 331.0.0.37.90 Android (33/13; 420dpi; 1080x2207; {model}; fr_FR; 596227451)"
_FACEBOOK = "[FB_IAB/FB4A;FBAV/480.0.0.54.88;]"
_TIKTOK = "musical_ly_2023405030 JsSdk/1.0 NetType/4G Channel/googleplay AppName/musical_ly ByteLocale/fr"

PEOPLE = (
    CHROME,
    # Whose names hold what robots are called.
    _android("10", "M BOT TAB 101 Build/QP1A.190711.020"),
    _android("5.1", "M BOT TAB 71"),
    _android("7.0", "M_BOT_TAB_100 Build/NRD90M"),
    _android("6.0", "M bot 551 Build/MRA58K"),
    _android("8.1.0", "M-BOT 60"),
    _android("10", "Logicom M BOT TAB 101", app=_FACEBOOK),
    _android("10", "CUBOT NOTE 20 Build/QP1A"),
    _android("9", "CUBOT_X30 Build/PPR1.180610.011"),
    _android("11", "Cubot X50", app=_INSTAGRAM.format(model="CUBOT; X50")),
    _android("12", "CUBOT KING KONG 7", app=_TIKTOK),
    f"Mozilla/5.0 (Linux; U; Android 4.4.2; fr-fr; CUBOT/S208 Build/KOT49H) {_WEBKIT} Version/4.0 Mobile Safari/534.30",
    _android("7.0", "LOGICOM_M_BOT/60"),
    _android("8.1.0", "hafury_CUBOT/1"),
    _android("12", "cuBot P40"),
    _android("12", "CuBot Max 3", app=_FACEBOOK),
    _android("13", "CUBOT_P80/A"),
    _android("5.1", "MBOT 551"),
    _android("11", "Robotics One Build/RP1A"),
    _android("11", "Botanica B1"),
    _android("9", "itel BOT"),
    _android("9", "Robot 5X"),
    _android("9", "Robot 5X Build/PPR1.180610.011", app=_INSTAGRAM.format(model="Robot; 5X; Robot")),
    _android("9", "Wiko BOT-X"),
    _android("9", "Zenbot"),
    _android("9", "Talbot", app=_FACEBOOK.replace("FBAV", "FBDV/Talbot;FBAV")),
    _android("9", "TABOT"),
    _android("9", "Bot 5"),
    _android("9", "M.BOT 51"),
    _android("9", "M  BOT 51"),
    _android("9", "Monitor TV BOX"),
    _android("9", "Alldocube Crawler"),
    _android("13", "Scraper Pro_Monitoring Build/TP1A.220624.014"),
    _android("12", "SuperSpider 2"),
    _android("4.4.2", "fr-fr; Bots B2 Build/KOT49H"),
    f"{_android('11', 'Talbot')} Snapchat/13.40.0.40 (Talbot; Android 11#R; gzip; )",
    # A version behind an @, which is no mail address.
    f"{CHROME} (Ecosia android@81.0.4044.138)",
    f"{PHONE} (Ecosia ios@5.1.0.1019)",
    f"{CHROME} app@2.14.1-7",
    f"{CHROME} @kiosk",
    _android("9", "SPIDER X Build/PPR1"),
    CHROME.replace("Mobile", "QRScanner/2.1 Mobile"),
    # iPhones and iPads, in apps and not.
    PHONE,
    f"{PHONE} Instagram 390.0.0.28.85 (iPhone15,2; iOS 18_5; fr_FR; fr; scale=3.00; 1179x2556)",
    f"{PHONE} [FBAN/FBIOS;FBAV/520.0;FBDV/iPhone15,2]",
    f"{PHONE} BytedanceWebview/d8a21c6 musical_ly_35.1.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/fr Region/FR",
    f"{PHONE} Snapchat/13.40.0.40 (like Safari/8617.2.4, panda)",
    f"{PHONE} LinkedInApp/9.29.7",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/122.0.6261.89 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/123.0 Mobile/15E148 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/306.0 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
    # Androids as they are sold in France.
    _android("14", "SM-A546B", app=_TIKTOK),
    f"Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) {_WEBKIT} SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36",
    _android("9", "SM-J530F", app=_FACEBOOK, chrome="81.0.4044.138"),
    _android("10", "VOG-L29", app=_INSTAGRAM.format(model="HUAWEI; VOG-L29")),
    f"Mozilla/5.0 (Linux; Android 10; LIO-N29; HMSCore 6.13) {_WEBKIT} Chrome/110.0 HuaweiBrowser/14.0.2 Mobile Safari/537.36",
    f"Mozilla/5.0 (Linux; U; Android 13; fr-fr; 2201117TY Build/TKQ1) {_WEBKIT} Chrome/100.0 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.4.0-gn",
    _android("12", "Redmi Note 11"),
    _android("13", "FP5", app=_TIKTOK),
    _android("14", "Pixel 8 Pro"),
    _android("13", "CPH2339"),
    _android("8.1.0", "Wiko Y60"),
    _android("13", "T10 Crosscall"),
    "Mozilla/5.0 (Linux; U; Android 4.0.3; fr-fr; GT-I9100 Build/IML74K) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",
    # Other browsers.
    "Mozilla/5.0 (Android 14; Mobile; rv:124.0) Gecko/124.0 Firefox/124.0",
    f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/124.0.0.0 Mobile Safari/537.36 OPR/82.0.0.0",
    f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/124.0.0.0 Mobile DuckDuckGo/5 Safari/537.36",
    "Opera/9.80 (Android; Opera Mini/80.0/191.0; U; fr) Presto/2.12.423 Version/12.16",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; fr) Presto/2.8.119 Version/11.10",
    "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
    "Mozilla/5.0 (Mobile; CAT B35; rv:84.0) Gecko/84.0 Firefox/84.0 KAIOS/3.1",
    "Mozilla/5.0 (compatible; MSIE 10.0; Windows Phone 8.0; Trident/6.0; IEMobile/10.0; ARM; Touch; NOKIA; Lumia 520)",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/5.0 (compatible; Konqueror/4.14; Linux) KHTML/4.14.38 (like Gecko)",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/124.0.0.0 Safari/537.36 Edg/124.0.0.0",
)

ROBOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; Googlebot)",
    CHROME.replace("Mobile", "(compatible; bingbot/2.0) Mobile"),
    f"Mozilla/5.0 {_WEBKIT}; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
    f"{CHROME} (compatible; AdsBot-Google-Mobile)",
    f"{CHROME} GoogleOther",
    f"{PHONE} (Applebot/0.1)",
    "Mozilla/5.0 (compatible; YandexMobileBot/3.0)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0)",
    "Mozilla/5.0 (compatible; Bytespider; spider-feedback@bytedance.com)",
    f"{CHROME} (compatible; TikTokSpider)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot-SI/0.97)",
    "Mozilla/5.0 (compatible; Nimbostratus-Bot/v1.3.2)",
    "Mozilla/5.0 (compatible; archive.org_bot)",
    "Mozilla/5.0 (Windows NT 6.1; Win64; x64) AdsBot",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/600 (KHTML, like Gecko) Safari/600 SMTBot",
    f"{CHROME} MJ12Bot",
    f"{CHROME} crawler",
    f"{CHROME} LinkCrawler",
    f"{CHROME} (monitor)",
    f"{CHROME} UptimeMonitoring",
    f"{CHROME} Bot",
    f"{CHROME} my_bot",
    f"{CHROME} robot",
    f"{CHROME} Robots",
    f"{CHROME} 360Spider",
    f"{CHROME} Spider/1.0",
    f"{CHROME} web.admin@seo.example.com",
    f"{CHROME} (bot@163.com)",
    # Its own name, though it runs on one of the telephones.
    "Mozilla/5.0 (Linux; Android 10; CUBOT NOTE 20) Safari/537.36 (compatible; PetalBot)",
    f"Mozilla/5.0 {_WEBKIT}; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    f"Mozilla/5.0 {_WEBKIT}; compatible; ChatGPT-User/1.0)",
    "Mozilla/5.0 (compatible; ClaudeBot/1.0)",
    "Mozilla/5.0 (compatible; PerplexityBot/1.0)",
    "Mozilla/5.0 (compatible; PetalBot)",
    "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
    "Mozilla/5.0 (Macintosh) AppleWebKit/601 (KHTML, like Gecko) Safari/601 facebookexternalhit/1.1 Facebot Twitterbot/1.0",  # iMessage
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
    f"{CHROME} Chrome-Lighthouse",
    "Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)",
    "Mozilla/5.0+(compatible; UptimeRobot/2.0)",
    "Mozilla/5.0 (Macintosh) PTST/240101",
    # What says that it is compatible, without being a browser.
    *(
        f"Mozilla/5.0 (compatible; {name})"
        for name in (
            "M Bot/1.0",
            "Mbot/1.0",
            "Uptime-Kuma/1.23",
            "Scrapy",
            "Nmap Scripting Engine",
            "W3C_Validator/1.3",
            "Qwantify/2.4w",
            "Yeti/1.1",
            "Superfeedr",
            "Whatever",
            "Android 9; Zenbot",
        )
    ),
    f"{CHROME} (compatible;Qwantify)",
    CHROME.replace("K)", "K; compatible; Zenbot)"),
    "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.1; SiteBot)",
    # The name and the version of a program, where the telephone's model stands.
    _android("8.0", "Pixel 2 Build/OPD3.170816.012; Storebot-Google/1.0"),
    _android("9", "Talbot/2.1"),
    _android("9", "itel BOT; +https://exemple.fr/itel"),
    _android("9", "SiteMonitor/v3"),
    _android("9", "Bytespider/1.0"),
    f"{CHROME} M Bot/1.0",
    f"{CHROME} Mbot/1.0",
    f"{CHROME} Google Favicon",
    f"{CHROME} PageSpeed",
    f"{CHROME} Google Page Speed Insights",
    # Without a system in brackets.
    "Mozilla/5.0 Python-urllib/3",
    "Mozilla/5.0 aiohttp/3.9",
    "Mozilla/4.0 AppleWebKit/537.36 Chrome/120.0.0.0",
    # What is no browser by its first word.
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp/2.23.20.0 A",
    "TelegramBot (like TwitterBot)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Dalvik/2.1.0 (Linux; U; Android 9; SM-J530F)",
    "curl/8.5.0",
    "python-requests/2.32",
    "",
)
