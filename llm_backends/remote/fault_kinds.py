"""The kinds of faults that servers put into words: one row a kind, with the advice that helps.

The words are those of real servers. The first row that fits decides, before the status does: the same fault
comes under whichever status a server, or the gateway before it, likes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .. import errors


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault. `says` continues the name of the model; `hint` is None for the error's own.

    `{wait}` in a hint is how long the server says to wait. `statuses` limits the row to those.
    """

    words: re.Pattern[str]
    error: type[errors.LLMError]
    says: str
    hint: str | None = None
    retryable: bool | None = None
    statuses: frozenset[int] = field(default=frozenset())

    def fits(self, words: str, status: int | None) -> bool:
        """Tell whether a fault in these words, under this status (None is unknown), is of this kind."""
        if self.statuses and status is not None and status not in self.statuses:
            return False
        return self.words.search(words) is not None


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.I | re.S)


OVERFLOW = _words(
    r"context[ _-]?(?:length|window|size)|maximum (?:context|prompt length)",
    r"max(?:imum)? model len|too many (?:input )?tokens|prompt is too long",
    r"prompt \(?.{0,30}too long|prompt contains .{0,60}too large",
    r"input (?:token count|is too long|length and)|exceeds? .{0,60}(?:tokens|context)",
    r"context the overflows|tokens to keep from the initial prompt",
    r"`?inputs`? (?:tokens|must have less)|range of input length|prompt ?超长",
    r"输入.{0,10}(?:过长|超过|超出)|上下文.{0,6}(?:超|过长)|request_too_large",
    r"string_above_max_length",
)

_TOP_UP = "Top up the account, or choose another model."
_OTHER_REGION = "Choose another provider, a router that reaches this model, or a local model."

KINDS: tuple[Kind, ...] = (
    # What may not be written, whatever status it comes under.
    Kind(
        _words(
            r"content[ _](?:policy|management|filter)|safety[ _](?:system|check)|prohibited_content",
            r"blocked by|content exists risk|considered high risk|data_?inspection_?failed",
            r"inappropriate content",
            r"(?:input|prompt|content|request)\S* (?:was|were|is|has been) flagged|content violates",
            r"usage guidelines|violat\w+ (?:our|the) (?:usage|content|terms)|敏感内容|不安全",
            r"内容安全|违规|responsibleaipolicy|sensitive[ _](?:content|words)",
        ),
        errors.Refused,
        "declined to write this",
    ),
    # Where and under which conditions a model is offered.
    Kind(
        _words(
            r"unsupported_country",
            r"(?:country|region|territory|location).{0,40}(?:not|n't|un)[ -]?(?:supported|available)",
            r"not (?:available|supported|offered) in your (?:country|region|location)",
            r"地区.{0,8}不(?:支持|可用)",
        ),
        errors.PermissionDenied,
        "is not offered in this region",
        _OTHER_REGION,
    ),
    Kind(
        _words(r"data policy|settings/privacy|training violation|guardrail restrictions"),
        errors.PermissionDenied,
        "is excluded by the data policy of your account",
        "Allow its providers in the privacy settings of your account, or choose another model.",
    ),
    # Before all that says how long to wait.
    Kind(
        _words(
            r"(?:model|server)\b.{0,200}\b(?:is|are)? ?(?:currently|still) loading|loading model",
            r"model is loading|model is (?:warming|starting) up|is currently being loaded|模型加载中",
        ),
        errors.ProviderFailed,
        "is still loading its model",
        "Run again {wait}.",
        retryable=True,
    ),
    # Free tiers, which speak of quota and billing where waiting is all that is needed.
    Kind(
        _words(r"free[_ -]?tier.{0,400}\blimit: 0\b"),
        errors.RateLimited,
        "has no free quota for this key",
        "Choose a model in the free tier, or set up billing for the key.",
        retryable=False,
    ),
    Kind(
        _words(
            r"PerDay\w*-?FreeTier|free[_ -]?(?:models|tier)[_ -]?per[_ -]?day", r"daily free (?:limit|quota)"
        ),
        errors.RateLimited,
        "has used up the quota of this key for today",
        "Run again tomorrow, or choose another model.",
        retryable=False,
    ),
    Kind(
        _words(
            r"free[_ -]?tier|please retry in \d|organization.s rate limit|rate limit (?:reached|exceeded)",
            r"rate-limited upstream",
        ),
        errors.RateLimited,
        "received too many requests",
        statuses=frozenset({429, 500, 503}),
    ),
    # Money.
    Kind(
        _words(r"can only afford|fewer max_tokens"),
        errors.RateLimited,
        "has too little credit left for an answer of this length",
        "Lower max_tokens on LLM Settings, or top up the account.",
        retryable=False,
    ),
    Kind(
        _words(r"budget has been exceeded|exceeded ?budget|budget_exceeded|max budget"),
        errors.RateLimited,
        "has no budget left for this key",
        "Raise the budget of the key on the proxy, or choose another model.",
        retryable=False,
    ),
    Kind(
        _words(
            r"insufficient[ _](?:quota|balance|credits?|funds|user_quota)",
            r"(?:balance|credits?|funds) (?:is|are|was) (?:too low|insufficient|exhausted|not enough)",
            r"exceeded your (?:current quota|monthly)|exceeded_current_quota|credit balance",
            r"(?:n't|not) have any credits|purchase (?:more )?credits|failure to pay|unpaid invoice",
            r"paid balance|no credits|out of credits|all available credits|spending limit",
            r"billing[ _](?:hard_limit|not_active|limit)|billing|payment (?:required|method)",
            r"account is not active|arrearage|good standing|CreditsError|余额不足|欠费|请充值",
            r"额度不足|额度已用尽|資源包|残高不足|недостаточно средств",
        ),
        errors.RateLimited,
        "has no quota or credit left for this key",
        _TOP_UP,
        retryable=False,
        statuses=frozenset({400, 401, 402, 403, 412, 429, 500, 503}),
    ),
    Kind(
        _words(
            r"(?:organi[sz]ation|account|team|project|workspace|user)\b.{0,60}\b(?:is|was|has been) "
            r"(?:temporarily |permanently )?(?:restricted|suspended|disabled|deactivated|banned|terminated)",
            r"account_deactivated|organization_restricted|账[户号].{0,8}(?:封禁|冻结|停用|禁用)",
        ),
        errors.PermissionDenied,
        "has suspended this account",
        "Write to the provider's support, or choose another provider.",
        retryable=False,
        statuses=frozenset({400, 401, 402, 403, 412, 429}),
    ),
    # The machine behind it.
    Kind(
        _words(
            r"out of (?:gpu |cuda |device |host |video |system )?memory|outofmemory|cudamalloc",
            r"bad_alloc|not enough (?:gpu |system |video )?memory|requires more system memory",
            r"insufficient system resources|not enough resources to load|unable to allocate",
            r"failed to allocate|alloc\w* .{0,30}buffer failed|cannot allocate memory|显存不足",
            r"内存不足",
        ),
        errors.ProviderFailed,
        "ran out of memory",
        "Choose a smaller or more strongly quantized model or a shorter context there, or free memory: other "
        "models on that machine, and those of the image workflow, share it.",
        retryable=False,
    ),
    Kind(
        _words(
            r"no models? (?:is |are |currently )?loaded|model is unloaded|model not loaded",
            r"please load a model|lms load",
        ),
        errors.ModelNotFound,
        "has no model loaded",
        "Load the model in that program first (in LM Studio: `lms load`, or its developer page).",
    ),
    Kind(
        _words(
            r"runner process (?:has terminated|no longer running)|failed to load model",
            r"error loading model|model failed to load",
        ),
        errors.ProviderFailed,
        "could not load its model",
        "Check that server's log, update the server, or choose a smaller model.",
        retryable=False,
    ),
    # Amazon's temporary credentials, and its signatures, which hold the time.
    Kind(
        _words(r"expired ?token(?:exception)?\b|security token included in the request is expired"),
        errors.AuthenticationFailed,
        "reports that the temporary credentials have expired",
        "Get new ones, and set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN to them.",
        statuses=frozenset({400, 401, 403}),
    ),
    Kind(
        _words(r"signature (?:has )?expired|signature not yet current|request ?time ?too ?skewed"),
        errors.AuthenticationFailed,
        "reports that the time of the call is wrong",
        "Set this machine's clock, and run again.",
        statuses=frozenset({400, 401, 403}),
    ),
    # A key that is none, and one that may not do this.
    Kind(
        _words(
            r"api[ _]key (?:not valid|expired|was reported as leaked|is invalid)|api_key_invalid",
            r"invalid[ _]api[ _]key|invalid x-api-key|incorrect api key",
            r"security token .{0,40}invalid|no auth credentials|\bno connected db\b",
            r"no api key passed in|invalid proxy server token|virtual key expected",
            r"令牌(?:已过期|验证不正确)|身份验证失败",
        ),
        errors.AuthenticationFailed,
        "rejected the key",
        statuses=frozenset({400, 401, 403, 500}),
    ),
    Kind(
        _words(r"organization must be verified (?!to stream)"),
        errors.PermissionDenied,
        "is available to verified organizations only",
        "Verify your organization in the provider's settings, or choose another model.",
    ),
    Kind(
        _words(
            r"gated repo|accept the (?:license|terms|conditions)",
            r"requires? (?:you to )?(?:accept|agree)|model_terms_required",
        ),
        errors.PermissionDenied,
        "requires you to accept its terms first",
        "Accept the model's terms on its page with this key's account, or choose another model.",
    ),
    Kind(
        _words(
            r"(?:key|team|user|project) (?:is )?not allowed to access|don't have access to the model",
            r"does not have access to model|access to the model .{0,60}denied|model_not_allowed",
            r"permission to access (?:the )?model|missing scopes?|insufficient permissions",
        ),
        errors.PermissionDenied,
        "is not allowed for this key",
        "Request access to the model from whoever issued the key, or choose another one.",
    ),
    # Too much at once.
    Kind(
        _words(
            r"tokens per minute \(TPM\).{0,80}request(?:ed)?.{0,40}reduce", r"request too large for model"
        ),
        errors.ContextOverflow,
        "allows fewer tokens per minute than this text has",
        "Shorten the text, lower max_tokens on LLM Settings, or choose another model.",
    ),
    Kind(OVERFLOW, errors.ContextOverflow, "", statuses=frozenset({400, 413, 422, 500, 501})),
    # Models that are not there.
    Kind(
        _words(r"on-demand throughput isn.t supported|inference profile"),
        errors.ModelNotFound,
        "is not offered under this name",
        "Use the id of its inference profile, such as `us.` in front of the model's id.",
    ),
    Kind(
        _words(r"deploymentnotfound|deployment (?:for this resource )?does not exist|unknown deployment"),
        errors.ModelNotFound,
        "was not found",
        "The model name must be the name of your own deployment. Check it in the provider's portal.",
    ),
    Kind(
        _words(r"try pulling it first"),
        errors.ModelNotFound,
        "was not found",
        "Run `ollama pull {model}`, or check the model name. `{models}` lists the available models.",
    ),
    Kind(
        _words(
            r"invalid model name|invalid model:|model[ _]not[ _](?:found|exist|supported)",
            r"no such model|unknown[ _]model",
            r"model\b.{0,120}\b(?:does not exist|doesn't exist|not found|is not found|not exist\b)",
            r"not a valid model|model_decommissioned|has been (?:decommissioned|deprecated|retired)",
            r"unable to access (?:non-serverless )?model|model_not_available",
            r"no endpoints found for|not supported by any provider|模型不存在",
        ),
        errors.ModelNotFound,
        "was not found",
        statuses=frozenset({400, 404, 410, 422, 500}),
    ),
    Kind(
        _words(
            r"no deployments available|too many requests|rate[ _-]?limit",
            r"resource[_ ]?(?:has been )?exhausted|throttl|速率限制|请求过于频繁|并发",
        ),
        errors.RateLimited,
        "received too many requests",
        statuses=frozenset({400, 403, 429, 500, 503, 529}),
    ),
    Kind(
        _words(
            r"overloaded|over ?capacity|at capacity|high (?:demand|load)|server busy",
            r"no (?:healthy|available) (?:upstream|server|worker)|访问量过大|繁忙",
        ),
        errors.ProviderFailed,
        "is overloaded",
        "Run again {wait}, or choose another model.",
        retryable=True,
        statuses=frozenset({429, 500, 502, 503, 529}),
    ),
)
