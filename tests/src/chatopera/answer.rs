//! What the bot knows. The text alone decides the answer, so that a test can foretell it.

use serde_json::{Value, json};

/// The bot's name.
pub const BOT_NAME: &str = "小春";
/// The answer to what the bot does not understand.
pub const FALLBACK: &str = "对不起，我还不明白您的问题。";
/// The answer to 你好.
pub const GREETING: &str = "您好，我是小春，请问有什么可以帮您？";
/// The answer to 运费.
pub const SHIPPING: &str = "满 99 元包邮，未满收取 10 元运费。";
/// The answer to 慢, after a while.
pub const SLOW: &str = "让您久等了，您的问题已经查到结果。";
/// The answer to an order number.
pub const ORDER: &str = "请提供您的订单号。";

const BEST: f64 = 0.8;
const SUGGESTED: f64 = 0.6;

/// What the bot makes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Understanding {
    /// `__kickoff`, `__get_start`: an opening.
    Opening,
    /// `__faq_hot_list`: the questions most often asked.
    HotQuestions,
    /// An evaluation button.
    Feedback {
        /// Whether it was the good one.
        positive: bool,
    },
    /// 你好.
    Greeting,
    /// 运费: answered from the knowledge base.
    Shipping,
    /// 退: not sure enough; suggests questions.
    Suggestions,
    /// 订单: an intent that asks back.
    Order,
    /// 慢: answered late.
    Slow,
    /// 图文: a card.
    Card,
    /// 混合: several answers at once.
    Mixed,
    /// 按钮: messages in Facebook's own form.
    Native,
    /// 网页: an answer in HTML.
    Html,
    /// 错误: the bot's script failed.
    Unexpected,
    /// 沉默: an answer without words.
    Silence,
    /// Anything else.
    Nothing,
}

impl Understanding {
    /// Understands a text. The first word that is found decides.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match text {
            "__kickoff" | "__get_start" => return Self::Opening,
            "__faq_hot_list" => return Self::HotQuestions,
            "__chatbot_help_positive" => return Self::Feedback { positive: true },
            "__chatbot_help_negative" => return Self::Feedback { positive: false },
            _ => {}
        }
        let words = [
            ("慢", Self::Slow),
            ("运费", Self::Shipping),
            ("退", Self::Suggestions),
            ("订单", Self::Order),
            ("图文", Self::Card),
            ("混合", Self::Mixed),
            ("按钮", Self::Native),
            ("网页", Self::Html),
            ("错误", Self::Unexpected),
            ("沉默", Self::Silence),
            ("你好", Self::Greeting),
            ("您好", Self::Greeting),
        ];
        let known = words.into_iter().find(|(word, _understanding)| text.contains(word));
        known.map_or(Self::Nothing, |(_word, understanding)| understanding)
    }

    /// The `data` of the answer.
    #[must_use]
    pub fn data(self) -> Value {
        match self {
            Self::Opening => plain("欢迎光临春松客服 DEMO，直接输入问题即可。", &conversation()),
            Self::Greeting => plain(GREETING, &conversation()),
            Self::Slow => plain(SLOW, &conversation()),
            Self::Silence => plain("", &conversation()),
            Self::HotQuestions => with(
                plain("您好，以下是大家常问的问题。", &conversation()),
                "params",
                json!([
                    {"label": "运费怎么算？", "type": "qlist", "text": "运费怎么算？"},
                    {"label": "如何退货？", "type": "qlist", "text": "如何退货？"},
                ]),
            ),
            Self::Feedback { positive } => {
                let sentiment = if positive { "positive" } else { "negative" };
                plain("", &json!({"provider": "feedback", "sentiment": sentiment}))
            }
            Self::Shipping => plain(SHIPPING, &faq("AXbbShipping0001", "运费怎么算？", 0.93)),
            Self::Html => plain(
                "<p>请看<a href=\"https://www.chatopera.com/\">说明</a>。</p>",
                &faq("AXbbHtml0001", "网页", 0.9),
            ),
            Self::Suggestions => with(
                fallback(),
                "faq",
                json!([
                    {"id": "AXbbReturn0001", "score": 0.72, "post": "如何申请退货？", "categories": ["售后"]},
                    {"id": "AXbbReturn0002", "score": 0.68, "post": "退款多久到账？", "categories": ["售后"]},
                    {"id": "AXbbReturn0003", "score": 0.61, "post": "签收之后发现商品有破损，应该怎样办理退货和退款？", "categories": ["售后"]},
                ]),
            ),
            Self::Order => plain(
                ORDER,
                &json!({"provider": "intent", "intent": {
                    "name": "query_order", "threshold": 0.8, "branch": "pro", "state": "proactive",
                    "entities": [{"name": "orderId", "val": "", "requires": true, "dictname": "ORDER"}],
                }}),
            ),
            Self::Card => with(plain("{CLEAR} 图文消息", &conversation()), "params", json!([card()])),
            Self::Mixed => with(
                plain("{CLEAR} 混合类型消息", &faq("AXbbMixed0001", "混合", 0.95)),
                "params",
                json!([
                    {"type": "plain", "content": "第一条回复。"},
                    {"type": "plain", "content": "第二条回复。"},
                    card(),
                ]),
            ),
            Self::Native => with(
                plain("#in params", &conversation()),
                "params",
                json!([
                    {"text": "请选择：", "quick_replies": [
                        {"content_type": "text", "title": "北京", "payload": "__query_city 北京"},
                        {"content_type": "text", "title": "上海", "payload": "__query_city 上海"},
                    ]},
                ]),
            ),
            Self::Unexpected => with(plain("", &conversation()), "logic_is_unexpected", json!(true)),
            Self::Nothing => fallback(),
        }
    }

    /// Whether the answer takes its time.
    #[must_use]
    pub fn is_slow(self) -> bool {
        self == Self::Slow
    }
}

/// The `data` for a user who is muted: no words, and no word on whether it is a fallback.
#[must_use]
pub fn muted() -> Value {
    json!({"state": "default", "string": null, "topicName": "mute", "botName": BOT_NAME, "faq": [], "service": {"provider": "mute"}})
}

fn plain(text: &str, service: &Value) -> Value {
    json!({
        "state": "default", "string": text, "topicName": "greetings", "logic_is_fallback": false, "logic_is_unexpected": false,
        "botName": BOT_NAME, "faq": [], "service": service,
    })
}

fn fallback() -> Value {
    with(plain(FALLBACK, &json!({"provider": "fallback"})), "logic_is_fallback", json!(true))
}

fn with(mut data: Value, key: &str, value: Value) -> Value {
    if let Some(fields) = data.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
    data
}

fn conversation() -> Value {
    json!({"provider": "conversation"})
}

fn faq(doc_id: &str, post: &str, score: f64) -> Value {
    json!({"provider": "faq", "docId": doc_id, "post": post, "score": score, "categories": [],
           "faqBestReplyThreshold": BEST, "faqSuggReplyThreshold": SUGGESTED})
}

fn card() -> Value {
    json!({"type": "card", "title": "春松客服", "summary": "开源的智能客服系统", "thumbnail": "https://static.chatopera.com/cc.png",
           "hyperlink": "https://www.cskefu.com/"})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_decide_the_shape_of_the_answer() {
        assert_eq!(Understanding::of("你好").data()["string"], GREETING);
        assert_eq!(Understanding::of("请问运费多少").data()["service"]["provider"], "faq");
        assert_eq!(Understanding::of("天气如何").data()["logic_is_fallback"], true);
        assert_eq!(Understanding::of("天气如何").data()["string"], FALLBACK);
        assert_eq!(Understanding::of("我要退货").data()["faq"].as_array().unwrap().len(), 3);
        assert_eq!(Understanding::of("__faq_hot_list").data()["params"][0]["type"], "qlist");
        assert_eq!(
            Understanding::of("__chatbot_help_negative").data()["service"]["sentiment"],
            "negative"
        );
        assert!(Understanding::of("慢一点").is_slow());
    }

    #[test]
    fn a_muted_user_gets_no_words_and_no_fallback_flag() {
        assert!(muted()["string"].is_null());
        assert!(muted().get("logic_is_fallback").is_none());
    }
}
