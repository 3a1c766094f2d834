"""Words by which the parts of an answer are told apart, in the languages that models answer in.

Words are compared in lower case. In scripts without spaces a label is covered where it is made of these words
alone. A trailing ``-`` marks the stem of a word.
"""

from __future__ import annotations

import re
import unicodedata

# The thing asked for. A label with one of these needs no other word.
PROMPT = """
prompt prompts prompten prompta promptu promptul promptun promptunuz promptot promptet promptunu промпт-
запит- kehote kehotteen kehotetta podpowiedź 提示词 提示詞 提示語 提示语 咒语 プロンプト 呪文 프롬프트
प्रॉम्प्ट พรอมต์ พรอมพ์ البرومبت برومبت الموجه موجه הפרומפט פרומפט
"""
# Other names for it: labels only where nothing stands before them.
RESULT = """
solution suggestion suggested proposal proposed vorschlag proposition vertaling översättning terjemahan
traducere 英訳 和訳
answer response output result results version rewrite rewritten revision revised enhanced improved refined
optimized optimised expanded polished updated instruction instructions caption scene description translation
final text positive antwort ausgabe ergebnis fassung version beschreibung bildbeschreibung übersetzung
endfassung text réponse résultat sortie traduction légende texte respuesta resultado salida descripción
traducción versión texto resposta saída descrição tradução versão risposta risultato uscita descrizione
traduzione versione testo ответ- результат- описани- верси- вариант перевод текст відповід- опис переклад
odpowiedź wynik opis wersja tłumaczenie odpověď výsledek popis verze válasz eredmény leírás változat cevap
yanıt sonuç açıklama çıktı sürüm antwoord resultaat beschrijving versie svar resultat beskrivning
beskrivelse vastaus tulos kuvaus jawaban hasil deskripsi keluaran versi trả lời kết quả mô tả bản dịch
răspuns rezultat descriere απάντηση περιγραφή 回答 答案 答 答复 输出 輸出 结果 結果 描述 翻译 翻譯 改写 改寫
扩写 擴寫 润色 潤色 画面描述 场景描述 译文 版本 正文 出力 説明文 訳 描写 訳文 版 답변 결과 출력 설명 번역
버전 उत्तर परिणाम विवरण คำตอบ ผลลัพธ์ คำอธิบาย الإجابة النتيجة الجواب الوصف תשובה תוצאה תיאור
"""
# What may stand around them in a label or an announcement.
AROUND = """
a an the this that these your my our its it is are was as of for to in into on with from and or i you me we
ve s ll d re here there below following follows above now go own use used try using could can how about
suggest like ready image images picture photo video scene text positive main visual art new single full
complete short long brief more improved- enhanc- improv- refin- revis- rewrit- rewor- rephras- detail-
expand- extend- polish- optimi- updat- final- vivid- richer better clean- translat- generat- creat- craft-
written descriptive completed generated cinematic english chinese en zh native flux dev schnell sdxl sd stable
diffusion midjourney dall
e qwen wan kontext comfyui ai model json verbesser- überarbeit- optimier- erweiter- ausgearbeit- detaillier-
englisch- fertig- endgültig- der die das den dein- ihr- mein- ein- hier ist sind für lautet neue- und
deutsch- bild- zu er sie es finden folgt amélior- enrichi- révisé- optimisé- détaillé- voici le la les l un
une votre ton ta est pour en de du des anglais finale proposition mejorad- optimizad- revisad- detallad-
aquí está tienes tiene el la un una tu su este es para en de del inglés imagen migliorat- ottimizzat-
rivist- dettagliat- ecco il lo un una tuo è per più inglese immagine melhorad- aprimorad- otimizad- revisad-
detalhad- aqui está vai o um uma seu sua segue para em inglês imagem улучшен- доработан- обновлён- обновлен-
итогов- финальн- готов- подробн- вот ваш твой на для английск- новый покращен- оновлен- ось для ulepszon-
poprawion- oto twój jest dla po angielsku geliştirilmiş iyileştirilmiş işte istediğiniz sizin son yeni
verbeterd- herzien- hier is de het je uw jouw een voor in förbättrad- här är den din det ditt en ett
forbedre- her er den din en et parannet- tässä on vylepšen- upraven- zde je váš tvůj javított- fejlesztett
íme a az yang telah disempurnakan ditingkatkan diperbaiki berikut adalah ini sudah untuk anda cải tiến đã
được đây là của bạn îmbunătățit- iată βελτιωμένο βελτιωμένη το ορίστε यह रहा बेहतर आपका نسخة المحسن المحسنة
إليك هذا המשופר המשופרת הנה בתר นี่คือ ที่ปรับปรุงแล้ว ปรับปรุง 以下 下面 这 這 是 为 為 为您 為您 您 你 我
的 后 後 优化 優化 扩展 擴展 改进 改進 改良 完善 生成 英文 中文 英语 正向 正面 最终 最終 完整 详细 版本 版
如下 根据 想法 已 可以 将 图像 画面 绘画 文生图 已将 给您 以下 が は を の に です ます こちら なり なります
改善 された され 最終 英語 日本語 画像 生成 ポジティブ した 版 用 強化 詳細 なプロンプト 修正 後 다음은 다음
은 는 이 가 입니다 개선된 향상된 최종 영어 이미지 여기 있습니다 수정된
positif positiv- positivo positiva positieve
"""
# Words of assent and greeting: a line of nothing but these and the words above says nothing.
POLITE = """
sure thing certainly course okay ok absolutely great got understood yes hi hello happy glad help thanks
thank idea alright let okey right perfect wonderful no problem be would do make gerne natürlich klar
selbstverständlich alles okay gut ja bien sûr d accord avec plaisir oui parfait certo certamente claro por
supuesto desde luego sí com certeza sim conosco конечно хорошо понятно да звісно добре так oczywiście jasne
tak pewnie tabii elbette tamam natuurlijk zeker goed självklart absolut okej selvfølgelig klart toki totta
kai selvä samozřejmě jistě persze természetesen tentu baik oke siap chắc chắn rồi vâng desigur sigur ज़रूर
ठीक है ได้เลย แน่นอน بالتأكيد بالطبع حسنا בטח כמובן βεβαίως φυσικά 好的 好 当然 當然 可以 没问题 沒問題 明白
明白了 收到 了解 はい もちろん 承知 しました いたしました 了解 かしこまりました わかりました 네 예 물론
물론입니다 물론이죠 알겠습니다 좋습니다
"""
NEGATIVE = """
negative negatives negatif négatif négatifs négative negativ negativer negativen negatives negativo negativa
negativos negatywny negatywne negatív negatief negatieve negatieven neg negativt negativní negativan негативн-
отрицательн- негатив αρνητικό 负面 負面 反向 负向 負向 反面 ネガティブ 否定 부정 네거티브 부정적 नकारात्मक
เชิงลบ سلبي السلبي שלילי
"""
# Names of a negative that say so alone; they count behind a prompt only.
AVOID = """
avoid exclude excluded exclusions undesired unwanted omit vermeiden éviter evitar evitare избегать исключить
避免 避ける 제외 uc
"""
AROUND_NEGATIVE = """
what to you should we content contents elements terms tags keywords words things concepts 词 詞 关键词 inhalte
"""
# Behind a prompt: remarks on it, its settings, its sources.
NOTES = """
note notes nb n.b ps p.s tags changed explanation explanations rationale reasoning breakdown analysis changes
improvements elements enhancements additions tips tip why works word words count token tokens character
characters length sources source references citations citation settings parameters usage remarks comment
comments disclaimer warning features details decisions choices ratio steps sampler cfg guidance seed
resolution size highlights summary modifications edits justification keywords variations suggestions
alternatives hinweis hinweise anmerkung anmerkungen erklärung erläuterung änderungen quellen tipp tipps
wortzahl remarque remarques explication explications modifications sources changements nota notas
explicación cambios fuentes observación observação explicação mudanças alterações fontes note spiegazione
modifiche fonti примечание примечания пояснение пояснения объяснение изменения источники примітка пояснення
зміни uwaga uwagi wyjaśnienie zmiany źródła not notlar değişiklikler opmerking toelichting wijzigingen
bronnen anteckning förklaring poznámka vysvětlení megjegyzés catatan penjelasan perubahan ghi chú giải thích
说明 說明 注 注释 注意 备注 備註 解释 解釋 解析 字数 字數 词数 参考资料 参考 来源 修改 改动 要点 亮点 提示
补充 補足 説明 注記 解説 変更点 ポイント 文字数 参考 설명 참고 변경 사항 출처 팁 글자 수 टिप्पणी หมายเหตุ
ملاحظة ملاحظات שרח הערה
"""
AROUND_NOTES = """
a the this that these on about and of for in key main made it used what i my some important additional
recommended suggested technical total aspect word english prompt image flux sdxl model generation cfg scale
version creative final wichtige die der das zu zum vorgenommene les clé de la mots claves de los clave
principais dei di o style на к по kluczowe 主要 关键 的 本 修改 主な 주요 words
"""
# Our own message, or the user's idea, said again.
ECHO = """
idea original input user human q question query wish keep source draft old before initial first variable
ursprünglich- original- originale- eingabe idee nutzer idée entrée demande entrada pregunta usuario origin-
исходн- идея запрос вопрос вихідн- ідея pomysł wejście fikir girdi idee invoer 原始 原 原文 输入 輸入 想法
用户 问题 原版 入力 元 アイデア 質問 원본 입력 아이디어 질문
"""
AROUND_ECHO = "the your my user s exactly for prompt idea text request of a description der die das"
RULES = """
form length language
"""
PLAN = """
thinking thought thoughts reasoning analysis plan planning process approach steps brainstorm step my the
draft drafting 思考 分析 思路 构思 推理 考え 検討 생각 분석 überlegung gedanken analyse réflexion análisis
размышления анализ
"""
ALTERNATIVE = """
option version variation variant variante variantes opción opção opzione variante alternative alternatives
alternativ- alternativa alternatively alt prompt take concept idea draft вариант варіант wersja opcja
wariant seçenek versiyon optie variatie optio varianta možnost változat opsi lựa chọn 选项 选择 方案 版本
提示词 パターン 案 バージョン オプション プロンプト 옵션 버전 대안
"""
SPOKEN = """
english chinese 英文 中文 英语 英語 日本語 japanese deutsch german englisch anglais français
"""
TITLE = """
title name titel titre título titolo название заголовок tytuł başlık 标题 標題 题目 タイトル 제목
"""
ROLE = """
assistant ai bot model a response answer output chatbot gpt claude llm 助手 アシスタント 어시스턴트
assistent asistente
"""


class Words:
    """A set of words and stems; `cover` tells whether a text is made of nothing else."""

    def __init__(self, *lists: str) -> None:
        words = {word for text in lists for word in text.split()}
        self._stems = tuple(word[:-1] for word in words if word.endswith("-"))
        self._words = {word for word in words if not word.endswith("-")}
        joined = sorted((word for word in words if is_unspaced(word)), key=len, reverse=True)
        # Spelled out in one pattern: a label of a script without spaces is tried as a whole.
        self._joined = re.compile(f"(?:{'|'.join(map(re.escape, joined))})+" if joined else r"(?!)")

    def has(self, word: str) -> bool:
        """Tell whether `word`, in lower case, is one of them; in scripts without spaces, several of them."""
        if word in self._words or word.startswith(self._stems or ("\0",)):
            return True
        return is_unspaced(word) and self._joined.fullmatch(word) is not None

    def in_(self, words: list[str]) -> bool:
        """Tell whether one of `words` is among them, or in a script without spaces contains one."""
        return any(
            word in self._words
            or word.startswith(self._stems or ("\0",))
            or (is_unspaced(word) and self._joined.search(word) is not None)
            for word in words
        )

    def cover(self, words: list[str]) -> bool:
        """Tell whether all of `words` are among them, numbers aside."""
        return any(not word.isdigit() for word in words) and all(
            word.isdigit() or self.has(word) for word in words
        )


def is_unspaced(word: str) -> bool:
    """Tell whether `word` is in Chinese, Japanese, Korean or Thai script."""
    return any(
        "\u0e00" <= c <= "\u0e7f" or "\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in word
    )


def words_of(text: str) -> list[str]:
    """Return the words of a label in lower case, markup and punctuation left out."""
    flat = unicodedata.normalize("NFC", text).lower()
    return re.findall(r"(?:[^\W_]|[\u0300-\u036f\u0900-\u097f\u0e31-\u0e4e])+", flat)


prompt_words = Words(PROMPT)
result_words = Words(RESULT)
label_words = Words(PROMPT, RESULT, AROUND)
talk_words = Words(PROMPT, RESULT, AROUND, POLITE)
polite_words = Words(POLITE)
negative_words = Words(NEGATIVE)
negative_label_words = Words(NEGATIVE, PROMPT, AROUND_NEGATIVE)
avoid_words = Words(AVOID)
avoid_label_words = Words(AVOID, AROUND_NEGATIVE)
notes_words = Words(NOTES)
notes_label_words = Words(NOTES, AROUND_NOTES)
echo_words = Words(ECHO)
echo_label_words = Words(ECHO, AROUND_ECHO, PROMPT)
rules_words = Words(RULES)
plan_words = Words(PLAN)
alternative_words = Words(ALTERNATIVE)
title_words = Words(TITLE)
role_words = Words(ROLE)
spoken_words = Words(SPOKEN)


def is_numbered_scene(said: list[str]) -> bool:
    """Tell whether these words number a scene of a film, which is a part of the prompt."""
    return len(said) == 2 and said[0] == "scene" and said[1].isdigit()
