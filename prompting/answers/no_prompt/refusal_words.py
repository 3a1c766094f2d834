"""Words of refusals in the languages that models refuse in: apologies, inability, and what cannot be done.

Inability is in the first person, or in a form that only somebody who speaks of himself uses: a knight who
cannot
help his king is a picture. Each entry is a regular expression, matched without regard to case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """`sorry` opens a refusal, `cannot` states it, `act` is what will not be done; `breaks` cites a rule."""

    sorry: re.Pattern[str]
    cannot: re.Pattern[str]
    act: re.Pattern[str]
    breaks: re.Pattern[str]


def _language(sorry: str, cannot: str, act: str, breaks: str = r"(?!)", *, spaced: bool = True) -> Language:
    edge = r"\b" if spaced else ""
    return Language(
        re.compile(rf"{edge}(?:{sorry})", re.I),
        re.compile(rf"{edge}(?:{cannot})", re.I),
        re.compile(rf"{edge}(?:{act})", re.I),
        re.compile(breaks, re.I),
    )


LANGUAGES = (
    _language(  # Chinese
        r"(?:很|非常|十分|實在|实在)?(?:抱歉|遗憾|遺憾)(?=[，,。！!我这這该該无無不])|[对對]不起|不好意思",
        r"[我们們]{1,2}(?:也)?(?:无法|無法|不能|不可以|不会|不會|(?:不太|不)?方?便?不便|不太?方便|不太?适合|不太?能|不想|没有?办法|帮不了|幫不了"
        r"|沒有?辦法|拒绝|拒絕)"
        r"|(?<!能)(?:无法|無法)|不能够?|超出了?我",
        r"协助|協助|帮助|幫助|帮|幫|提供|生成|满足|滿足|回答|创作|創作|创建|創建|完成|编写|編寫|写|寫"
        r"|处理|處理|给到|給到|继续|繼續|讨论"
        r"|描述|讨论|討論|展开|制作|製作|执行|参与|回复|支持|能力|问题|绘制",
        r"(?:请求|請求|内容|內容|要求|提示词?).{0,8}(?:违反|違反|违规|違規|涉及.{0,4}(?:敏感|违规"
        r"|违法)|不符合)|换一?个话题|換一?個話題|聊点别的|聊聊别的|说点别的|(?:请求|請求|内容|內容|要求|提示词?).{0,12}(?:不符合|不适合|不適合|违背|違背|被拒绝|被拒絕|不被允许)",
        spaced=False,
    ),
    _language(  # Japanese
        r"申し訳(?:あり|ござい|な(?:いです|いの|くて))|すみません|ごめんなさい|恐れ入りますが"
        r"|残念ながら|あいにく",
        r"(?:できません|できかね|いたしかね|応じられ|(?:応じ|沿い|添い|お答えし|対応し|お受けし)かね|(?:書|作|描|手伝|答)[えけれ]ません"
        r"|ことはでき(?:ない|ません)|お断り"
        r"|差し控え|しかねます|できないん?です)",
        r"対応|お応え|お答え|応えする|作成|生成|お?手伝い|提供|協力|リクエスト|ご要望|ご依頼|内容"
        r"|コンテンツ|プロンプト|それ|サポート|回答|書く",
        r"(?:リクエスト|コンテンツ|内容|依頼).{0,12}(?:違反|反し|不適切)",
        spaced=False,
    ),
    _language(  # Korean
        r"죄송(?:합니다|하지만|해요|하오나)|미안(?:하지만|합니다|해요)|유감스럽|안타깝게도",
        r"수\s*(?:가\s*)?없(?:습니다|어요|음|네요)|어렵습니다|못합니다|불가(?:능)?합니다|없습니다|거부합니다",
        r"도와|도움|처리|제공|생성|만들|작성|답변|응답|그건|그런|이런|요청|내용|콘텐츠|지원",
        r"(?:요청|내용|콘텐츠).{0,10}(?:위배|위반|어긋)",
        spaced=False,
    ),
    _language(  # German
        r"(?:es\s+)?tut\s+mir\s+(?:\w+\s+)?leid|entschuldig\w*|leider|bedaure|ich\s+bedaure|verzeihung|sorry",
        r"ich\s+(?:kann|darf|werde|möchte|will)\b[^.!?]{0,60}\bnicht|(?:kann|darf|werde"
        r"|möchte)\s+ich\b[^.!?]{0,60}?\b(?:nicht|keine\w*)"
        r"|ich\s+(?:kann|darf|werde)\b[^.!?]{0,40}\bkeine\w*"
        r"|\w+(?:e|n)\s+ich\b[^.!?]{0,30}\b(?:nicht|keine\w*)|muss\s+ich\b[^.!?]{0,40}\b(?:passen|ablehnen|absehen|verweigern)"
        r"|(?:ist|sind|wäre)\b[^.!?]{0,30}\bnicht\s+(?:möglich|erlaubt|gestattet|zulässig)|ich\s+möchte\s+lieber\s+nicht"
        r"|ich\s+bin\s+(?:leider\s+)?nicht\s+in\s+der\s+lage|ich\s+(?:muss"
        r"|lehne)\b[^.!?]{0,40}\bab(?:lehnen)?\b",
        r"(?:weiter)?helfen|schreiben|erstellen|erzeugen|liefern|generieren|erfüllen|tun|machen"
        r"|beantworten|bearbeiten|unterstützen|verfassen|bereitstellen|ablehnen|umsetzen|ausführen|darstellen|beschreiben"
        r"|inhalte?n?|wunsch|anfrage|darum|dabei|nachkommen|entsprechen|passen|weiter(?:machen|führen)|mitwirken|erstelle|schreibe",
        r"(?:anfrage|inhalt|prompt|wunsch|bitte)\w*\b[^.!?]{0,30}\b(?:verstößt|verletzt"
        r"|nicht\s+(?:erlaubt|zulässig))",
    ),
    _language(  # French
        r"désolée?|navrée?|je\s+regrette|malheureusement|pardon|je\s+m['’]excuse|toutes\s+mes\s+excuses",
        r"je\s+ne\s+(?:peux|puis|pourrai|saurais|suis"
        r"|vais)\b(?:\s+(?:malheureusement\s+)?pas(?:\s+en\s+mesure)?)?"
        r"|je\s+préfère(?:rais)?\s+ne\s+pas|je\s+ne\s+\w+\s+pas|je\s+m['’]abst\w+|(?:n['’]est|ne\s+sont)\s+pas\s+(?:autoris|permis|possible)\w*"
        r"|impossible\s+(?:pour\s+moi\s+)?de|il\s+m['’]est\s+impossible|je\s+(?:dois\s+)?refuser?",
        r"aider|créer|générer|écrire|faire|fournir|répondre|produire|rédiger|donner\s+suite"
        r"|satisfaire|traiter|décrire|contenus?|demande|aborder|participer|rédig\w+|accéder|assister|réaliser|refuser",
        r"(?:demande|contenu|requête)\b[^.!?]{0,20}\b(?:enfreint|viole|contrevient|contraire)",
    ),
    _language(  # Spanish
        r"lo\s+siento|lamentablemente|disculp\w*|perdón|perdona|lamento|desafortunadamente",
        r"no\s+(?:puedo|podemos|me\s+es\s+posible|podré|voy\s+a|soy\s+capaz\s+de"
        r"|estoy\s+(?:en\s+condiciones|autorizad\w+|en\s+posición))|me\s+niego|(?:debo|tengo\s+que)\s+(?:rechazar|declinar)"
        r"|no\s+(?:está\s+permitido|se\s+permite|es\s+posible|se\s+me\s+permite|me\s+siento\s+cómod\w|quiero|genero|creo|escribo)|prefiero\s+no",
        r"ayud\w+|crear|generar|escribir|cumplir|proporcionar|asistir\w*|hacer\w*|responder|producir"
        r"|procesar|describir|completar|realizar|atender|rechazar|declinar|contenidos?|solicitud|petición|elaborar|tratar|representar|continuar",
        r"(?:solicitud|contenido|petición)\b[^.!?]{0,20}\b(?:infringe|viola|incumple|contraviene)",
    ),
    _language(  # Italian
        r"mi\s+(?:di)?spiace|spiacente|purtroppo|scusa(?:mi|te)?|mi\s+scuso",
        r"non\s+(?:posso|possiamo|potrò|sono\s+in\s+grado|mi\s+è\s+possibile|riesco|è\s+(?:possibile|consentito|permesso)|creo|genero|scrivo|me\s+la\s+sento)|mi\s+rifiuto|preferisco\s+non"
        r"|devo\s+rifiutare",
        r"aiut\w+|crea\w+|generare|fornire|scriver\w+|far\w+|rispondere|soddisfare|produrre"
        r"|contenut\w+|richiest\w+|realizzare|trattare|continuare|assister\w+|procedere|descrivere|elaborare|rifiutare|completare",
        r"(?:richiesta|contenuto)\b[^.!?]{0,20}\b(?:viola|infrange|contravviene)",
    ),
    _language(  # Portuguese
        r"desculp\w+|sinto\s+muito|lamento|infelizmente|peço\s+desculpas?|perdão",
        r"não\s+(?:posso|consigo|podemos|sou\s+capaz\s+de|me\s+é\s+possível|estou\s+autorizad\w+"
        r"|poderei|vou|é\s+(?:possível|permitido)|tenho\s+permissão|crio|gero|escrevo|me\s+sinto)|prefiro\s+não|(?:devo|preciso|tenho\s+que)\s+recusar|recuso-me|me\s+recuso",
        r"ajud\w+|criar|gerar|fornecer|escrever|fazer|responder|produzir|atender|processar|cumprir"
        r"|descrever|realizar|auxiliar|conteúdos?|solicitação|pedido|continuar|elaborar|prosseguir|recusar|colaborar",
        r"(?:solicitação|pedido|conteúdo)\b[^.!?]{0,20}\b(?:viola|infringe)",
    ),
    _language(  # Russian
        r"извин\w+|прост(?:и|ите)|к\s+сожалению|мне\s+(?:очень\s+)?жаль|сожалею|прошу\s+прощения",
        r"(?:я|мы)\s+не\s+(?:могу|можем|буду|будем|смогу|в\s+состоянии|вправе)|не\s+могу|отказываюсь"
        r"|вынужден\w*\s+отказать\w*|не\s+(?:разрешено|позволено|допускается|имею\s+права|получится|стану|готов\w?|создаю|пишу|генерирую)|не\s+мог\w*|невозможно",
        r"помоч\w*|помогать|созда\w+|выполн\w+|написа\w+|писать|сгенер\w+|генерир\w+|предостав\w+"
        r"|сделать|делать|ответ\w+|обработ\w+|описа\w+|контент\w*|запрос\w*|такое|этим|участв\w+|продолж\w+|отказать\w*|обсужд\w+",
        r"(?:запрос|контент|содержани\w+|это|такое)\b[^.!?]{0,20}\b(?:наруша|противореч|недопустим)",
    ),
    _language(  # Ukrainian
        r"вибач\w*|перепрошую|на\s+жаль|мені\s+(?:дуже\s+)?шкода|прошу\s+вибачення",
        r"не\s+(?:можу|буду|зможу|маю\s+(?:змоги|права)|дозволено|вдасться|створюю|пишу)|відмовляюс[ья]|змушен\w+\s+відмовити|неможливо",
        r"допомог\w+|створ\w+|викон\w+|напис\w+|писати|згенер\w+|нада\w+|зроб\w+|робити|відпов\w+|опис\w+|контент\w*|вміст\w*|запит\w*|цим|таке|відмовити",
        r"(?:запит|контент|вміст)\b[^.!?]{0,20}\b(?:поруш|супереч)",
    ),
    _language(  # Polish
        r"przepraszam|niestety|przykro\s+mi|wybacz\w*",
        r"nie\s+(?:mogę|jestem\s+w\s+stanie|będę|wolno\s+mi|wolno|potrafię|tworzę|piszę|generuję|można|jest\s+(?:to\s+)?(?:możliwe|dozwolone))|odmawiam|muszę\s+odmówić|wolę\s+nie",
        r"pom[oó]\w+|stworz\w+|tworz\w+|spełni\w+|napis\w+|wygener\w+|generow\w+|zrobi\w*|dostarcz\w+"
        r"|treści|prośb\w+|kontynuow\w+|odmówić|realizow\w+|odpowiedz\w+|przygotow\w+|przetworz\w+|opis\w+",
        r"(?:prośba|treść|żądanie|prompt)\b[^.!?]{0,20}\b(?:narusza|łamie)",
    ),
    _language(  # Turkish
        r"üzgünüm|maalesef|özür\s+dileri[mz]|kusura\s+bakma\w*",
        r"\w+[ae]m(?:am|em|[ıi]yorum|[ıi]yoruz|ayız|eyiz|ayacağım|eyeceğim)\b|reddediyorum|mümkün\s+değil\w*|izin\s+verilm\w+|uygun\s+değil\w*|\w+m[ae]yı\s+tercih|\w+(?:m[ıiuü]yorum|mam|mem)\b",
        r"yardımcı|yardım|yerine|iste[kğ]\w*|tale[pb]\w*|içeri[kğ]\w*|konuda|oluştur\w*|üret\w*"
        r"|yaz\w*|yap\w*|bunu",
        r"(?:istek|talep|içerik)\b[^.!?]{0,25}\b(?:ihlal|aykırı)",
    ),
    _language(  # Dutch
        r"sorry|het\s+spijt\s+me|helaas|mijn\s+excuses",
        r"ik\s+(?:kan|mag|wil|zal|ga|maak|schrijf|moet)\b[^.!?]{0,60}?\b(?:niet|geen)|(?:kan|mag|wil|zal|ga|maak|schrijf)\s+ik\b[^.!?]{0,60}?\b(?:niet"
        r"|geen)|ik\s+moet\b[^.!?]{0,40}\b(?:weigeren|passen)|(?:is|zijn)\s+niet\s+(?:toegestaan|mogelijk)|ik\s+ben\s+niet\s+in\s+staat|ik\s+weiger",
        r"helpen|maken|doen|schrijven|uitvoeren|genereren|voldoen|creëren|beantwoorden|aanmaken|bieden|mee\s?werken|inhoud|verzoek|weigeren|passen|verder",
        r"(?:verzoek|inhoud)\b[^.!?]{0,20}\b(?:schendt|strijd)",
    ),
    _language(  # Swedish
        r"tyvärr|förlåt|ledsen|beklagar|ursäkta",
        r"(?:jag\s+(?:kan|får|vill|kommer|skapar|skriver)|(?:kan|får|vill)\s+jag|jag\s+måste\s+(?:avböja|avstå)|det\s+är)\b[^.!?]{0,40}?\b(?:inte|inga)",
        r"hjälpa|skapa|skriva|göra|generera|uppfylla|svara|ta\s+fram|bidra|innehåll|medverka|tillåtet|möjligt|det|fortsätta",
    ),
    _language(  # Danish and Norwegian
        r"beklager|desværre|dessverre|undskyld|unnskyld|(?:jeg\s+er\s+)?lei\s+meg|jeg\s+er\s+ked\s+af",
        r"(?:jeg\s+(?:kan|må|vil|får|skriver|lager|laver)|(?:kan|må|vil|får)\s+jeg|det\s+er)\b[^.!?]{0,40}?\bikke",
        r"hj[eæ]lpe|skabe|skrive|la[gv]e|gj?øre|generere|opp?rette|svare|opp?fylle|bistå|producere|produsere|in[dn]?hold|tillat\w*|tilladt|mulig\w*|det|fortsette|fortsætte|medvirke",
    ),
    _language(  # Finnish
        r"valitettavasti|pahoittelen|anteeksi|olen\s+pahoillani",
        r"en\s+(?:valitettavasti\s+)?(?:voi|pysty|aio|saa|halua|luo|kirjoita|tuota)|kieltäydyn|ei\s+ole\s+(?:mahdollista|sallittua)|minun\s+on\s+kieltäydyttävä",
        r"auttaa|luoda|kirjoittaa|tehdä|tuottaa|vastata|täyttää|toteuttaa|sisältö\w*|pyyntö\w*|tässä|siinä|jatkaa|käsitellä",
    ),
    _language(  # Czech and Slovak
        r"omlouvám|bohužel|je\s+mi\s+(?:to\s+)?líto|promiňte|prepáčte?|ospravedlňujem|žiaľ|bohužiaľ"
        r"|ľutujem|je\s+mi\s+ľúto",
        r"nemohu|nemůžu|nemôžem|nedokážem|nedokážu|nesmím|nebudu|nechci|nevytvářím|není\s+(?:možné|povoleno|dovoleno)|nejsem\s+schop\w+|odmítám|odmietam|musím\s+odmít\w+",
        r"pomoc[it]?|pomoct|pomôc[ťt]?|vytvoř\w+|vytvor\w+|napsat|napísa\w+|splni\w+|vygener\w+"
        r"|generovat|udělat|urobiť|poskyt\w+|odpov\w+|obsah\w*|požadav\w+|s\s+tím|pokračov\w+|odmít\w+|zpracov\w+|popsat",
        r"(?:požadavek|obsah)\b[^.!?]{0,20}\bporušuje",
    ),
    _language(  # Hungarian
        r"sajnál\w*|sajnos|elnézést|bocsánat\w*|bocs",
        r"nem\s+(?:tudok|tudom|áll\s+módomban|lehet)|nem\s+\w*(?:hetek|hatok|hetem|hatom)\b",
        r"segít\w*|segíthet\w*|(?:meg)?írhat\w*|létrehoz\w*|készít\w*|teljesít\w*|generál\w*|megtenni|írni|tartalm\w*|kérés\w*|folytat\w*|ebben|ezt",
    ),
    _language(  # Vietnamese
        r"xin\s+lỗi|rất\s+tiếc|tiếc\s+là|thành\s+thật\s+xin\s+lỗi",
        r"(?:tôi|mình|chúng\s+tôi|em)\s+(?:\w+\s+)?không\s+(?:thể|được\s+phép)|không\s+thể\s+(?:giúp"
        r"|hỗ\s+trợ|đáp\s+ứng)|tôi\s+(?:xin\s+)?(?:phải\s+)?từ\s+chối|không\s+được\s+phép|không\s+phù\s+hợp",
        r"giúp|tạo|thực\s+hiện|viết|cung\s+cấp|trả\s+lời|hỗ\s+trợ|đáp\s+ứng|làm|xử\s+lý|nội\s+dung|yêu\s+cầu|tiếp\s+tục|mô\s+tả",
    ),
    _language(  # Indonesian and Malay
        r"maaf|mohon\s+maaf|sayangnya|minta\s+maaf",
        r"(?:saya|kami|aku)\s+(?:tidak|tak)\s+(?:bisa|dapat|boleh|mampu|akan|diizinkan|diperbolehkan)|saya\s+(?:harus\s+)?menolak|tidak\s+diizinkan|melanggar",
        r"membantu|membuat|menghasilkan|menulis|memenuhi|memberikan|menjawab|memproses|menjana"
        r"|menyediakan|melakukan|melanjutkan|konten|permintaan|menolak|mendeskripsikan|menggambarkan",
    ),
    _language(  # Hindi
        r"क्षमा|माफ़|माफ|खेद",
        r"नहीं\s+(?:\S+\s+){0,2}सक|असमर्थ",
        r"मदद|अनुरोध|बना|सामग्री|कर|पूरा|लिख|सहायता",
        spaced=False,
    ),
    _language(  # Bengali
        r"দুঃখিত|ক্ষমা", r"পারব\s*না|পারছি\s*না|পারি\s*না|পারবো\s*না|অক্ষম", r"সাহায্য|তৈরি|করতে|লিখতে|অনুরোধ", spaced=False
    ),
    _language(  # Thai
        r"ขออภัย|ขอโทษ|เสียใจ", r"ไม่สามารถ|ทำไม่ได้|ไม่ได้", r"ช่วย|สร้าง|เขียน|ให้ข้อมูล|ตอบ|ดำเนินการ|ทำ", spaced=False
    ),
    _language(  # Arabic
        r"عذر|آسف|أعتذر|للأسف|نأسف|نعتذر",
        r"لا\s+(?:أستطيع|يمكنني|أقدر|نستطيع|يمكننا)|لن\s+أ|غير\s+قادر",
        r"مساعد|إنشاء|كتابة|إنتاج|توليد|تقديم|تلبية|القيام|المحتوى",
        spaced=False,
    ),
    _language(  # Persian and Urdu
        r"متأسفم|متاسفم|ببخشید|پوزش|عذر|معذرت|معاف",
        r"نمی[\u200c ]?توانم|قادر\s+نیستم|نہیں\s+(?:\S+\s+){0,2}سکت",
        r"کمک|ایجاد|بنویسم|تولید|انجام|پاسخ|مدد|بنا|تخلیق",
        spaced=False,
    ),
    _language(  # Hebrew
        r"מצטער|סליחה|לצערי|מתנצל",
        r"לא\s+יכול|איני\s+יכול|אינני\s+יכול|אין\s+באפשרותי|לא\s+אוכל",
        r"לעזור|ליצור|לכתוב|לסייע|לספק|להפיק|לענות|לעשות",
        spaced=False,
    ),
    _language(  # Greek
        r"λυπάμαι|συγγνώμη|δυστυχώς",
        r"δεν\s+(?:μπορώ|είμαι\s+σε\s+θέση|μπορούμε)|αρνούμαι",
        r"βοηθήσω|δημιουργήσω|γράψω|κάνω|παράσχω|απαντήσω|παράγω",
    ),
    _language(  # Romanian
        r"îmi\s+pare\s+rău|din\s+păcate|scuze|regret",
        r"nu\s+(?:pot|putem|sunt\s+în\s+măsură|voi)|refuz\s+să",
        r"ajut\w*|crea|scrie|genera|face|oferi|îndeplini|răspunde|realiza",
    ),
    _language(  # Bulgarian, Serbian, Croatian, Slovene
        r"съжалявам|за\s+съжаление|извин\w+|žao\s+mi\s+je|nažalost|oprostite|ispričavam|жао\s+ми\s+је"
        r"|нажалост|žal|oprosti",
        r"не\s+мо(?:га|гу)|не\s+съм\s+в\s+състояние|ne\s+mogu|nisam\s+u\s+mogućnosti|ne\s+morem",
        r"помогна|създам|напиша|изпълня|направя|генерирам|pomo[ćg]\w*|pomognem|stvori\w+|napisa\w+"
        r"|napravi\w+|kreira\w+|ispuni\w+|помогн\w+|помоћи|ustvari\w+|pomagati",
    ),
    _language(
        r"ho\s+sento|malauradament|disculp\w+",
        r"no\s+(?:puc|podem|em\s+és\s+possible)",
        r"ajudar\w*|crear|escriure|generar|fer",
    ),
    _language(  # Baltic languages and Estonian
        r"atsiprašau|deja|diemžēl|atvainojiet|vabandust|kahjuks|vabandage",
        r"negaliu|nevaru|(?:ma\s+)?ei\s+saa",
        r"padėti|sukurti|parašyti|palīdzēt|izveidot|uzrakstīt|aidata|luua|kirjutada",
    ),
    _language(  # Swahili and Filipino
        r"samahani|pole|paumanhin|pasensya|ikinalulungkot",
        r"siwezi|hindi\s+(?:ko|ako)\s+(?:\w+\s+)?(?:kaya\w*|maaari\w*|makaka\w*|magagawa)"
        r"|hindi\s+ko\s+magagawa",
        r"kusaidia|kukusaidia|kuunda|kuandika|tulong\w*|makatulong\w*|gumawa|likha|iyan|ito",
    ),
)
