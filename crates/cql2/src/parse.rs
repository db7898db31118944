//! Tokens to a tree: one function for each level of precedence. Names and types are checked on the way.

use crate::check::{self, Placed};
use crate::expr::{Comparison, Expr, Field, Literal, Operand};
use crate::lexer::{Lexeme, Token, tokens};
use crate::problem::{Problem, Result, shorten, unknown_field};
use crate::{Filter, Schema};

/// The longest text that is read.
pub const MAX_BYTES: usize = 32 * 1024;
/// The most parentheses within parentheses.
pub const MAX_DEPTH: usize = 100;

const KEYWORDS: [&str; 10] = ["AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "IS", "NULL", "TRUE", "FALSE"];

/// Reads a filter over the schema's fields.
pub fn parse(text: &str, schema: &dyn Schema) -> Result<Filter> {
    if text.len() > MAX_BYTES {
        let (zh, en) = ("过滤条件过长，最多 32 KiB", "the filter is too long: at most 32 KiB are read");
        return Err(Problem::new(MAX_BYTES, zh, en));
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0, schema };
    if parser.peek().lexeme == Lexeme::End {
        return Err(Problem::new(0, "过滤条件为空", "the filter is empty"));
    }
    let node = parser.disjunction()?;
    match parser.peek().lexeme {
        Lexeme::End => Ok(Filter { expr: condition(node)? }),
        _ => Err(parser.unexpected("AND、OR 或结尾", "AND, OR or the end")),
    }
}

/// Reads a filter in CQL2 JSON.
pub fn parse_json(text: &str, _schema: &dyn Schema) -> Result<Filter> {
    Err(Problem::unsupported(text.len().min(MAX_BYTES), "cql2-json"))
}

/// What is in a pair of parentheses may turn out to be either. Boxed, and read by small functions, so that the
/// deepest text that is allowed needs little of the stack.
pub(crate) enum Node {
    Condition(usize, Box<Expr>),
    Operand(Placed),
}

fn condition(node: Node) -> Result<Expr> {
    match node {
        Node::Condition(_, expr) => Ok(*expr),
        Node::Operand(Placed { operand, .. }) if operand.kind() == Some(crate::Kind::Boolean) => {
            Ok(Expr::Truth(operand))
        }
        Node::Operand(Placed { at, .. }) => Err(Problem::new(
            at,
            "这里需要一个条件，例如 字段 = 值",
            "a condition is wanted here, such as field = value",
        )),
    }
}

fn negated(at: usize, expr: Expr, not: bool) -> Node {
    Node::Condition(at, Box::new(if not { expr.negate() } else { expr }))
}

pub(crate) fn operand(node: Node) -> Result<Placed> {
    match node {
        Node::Operand(placed) => Ok(placed),
        Node::Condition(at, _) => {
            Err(Problem::new(at, "这里需要字段或值，而不是条件", "a field or a value is wanted here, not a condition"))
        }
    }
}

fn arithmetic(at: usize) -> Problem {
    Problem::new(at, "暂不支持算术运算", "arithmetic is not supported yet")
}

pub(crate) struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: usize,
    schema: &'a dyn Schema,
}

impl<'a> Parser<'a> {
    /// The last token is `End`, which is never passed.
    pub(crate) fn peek(&self) -> &Token<'a> {
        &self.tokens[self.next]
    }

    pub(crate) fn after(&self) -> &Token<'a> {
        &self.tokens[(self.next + 1).min(self.tokens.len() - 1)]
    }

    pub(crate) fn advance(&mut self) {
        self.next = (self.next + 1).min(self.tokens.len() - 1);
    }

    fn take_word(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_word(keyword);
        if found {
            self.advance();
        }
        found
    }

    pub(crate) fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.peek().is_sign(sign);
        if found {
            self.advance();
        }
        found
    }

    fn expect_word(&mut self, keyword: &str) -> Result<()> {
        if self.take_word(keyword) { Ok(()) } else { Err(self.unexpected(keyword, keyword)) }
    }

    pub(crate) fn expect_sign(&mut self, sign: &str) -> Result<()> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.unexpected(sign, sign)) }
    }

    pub(crate) fn unexpected(&self, zh: &str, en: &str) -> Problem {
        let token = self.peek();
        let (found_zh, found_en) = match token.lexeme {
            Lexeme::End => ("结尾".to_owned(), "the end".to_owned()),
            _ => (format!("“{}”", shorten(token.text)), format!("\"{}\"", shorten(token.text))),
        };
        Problem::new(token.at, format!("此处应为 {zh}，却是{found_zh}"), format!("expected {en}, found {found_en}"))
    }

    /// An opening parenthesis; its `close` must follow.
    pub(crate) fn open(&mut self) -> Result<()> {
        let at = self.peek().at;
        self.expect_sign("(")?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let (zh, en) =
                (format!("括号嵌套超过 {MAX_DEPTH} 层"), format!("more than {MAX_DEPTH} parentheses are nested"));
            return Err(Problem::new(at, zh, en));
        }
        Ok(())
    }

    pub(crate) fn close(&mut self) -> Result<()> {
        self.depth -= 1;
        self.expect_sign(")")
    }

    fn disjunction(&mut self) -> Result<Node> {
        self.chain("OR", Self::conjunction, Expr::or)
    }

    fn conjunction(&mut self) -> Result<Node> {
        self.chain("AND", Self::negation, Expr::and)
    }

    fn chain(
        &mut self,
        word: &str,
        member: fn(&mut Self) -> Result<Node>,
        whole: fn(Vec<Expr>) -> Expr,
    ) -> Result<Node> {
        let at = self.peek().at;
        let first = member(self)?;
        if self.peek().is_word(word) { self.further(at, first, word, member, whole) } else { Ok(first) }
    }

    fn further(
        &mut self,
        at: usize,
        first: Node,
        word: &str,
        member: fn(&mut Self) -> Result<Node>,
        whole: fn(Vec<Expr>) -> Expr,
    ) -> Result<Node> {
        let mut members = vec![condition(first)?];
        while self.take_word(word) {
            members.push(condition(member(self)?)?);
        }
        Ok(Node::Condition(at, Box::new(whole(members))))
    }

    fn negation(&mut self) -> Result<Node> {
        let at = self.peek().at;
        let mut times = 0;
        while self.take_word("NOT") {
            times += 1;
        }
        let node = self.predicate()?;
        if times == 0 {
            return Ok(node);
        }
        condition(node).map(|expr| negated(at, expr, times % 2 == 1))
    }

    fn predicate(&mut self) -> Result<Node> {
        let at = self.peek().at;
        let left = self.operand()?;
        self.comparison_of(at, left)
    }

    fn comparison_of(&mut self, at: usize, left: Node) -> Result<Node> {
        if let Some(op) = self.comparison()? {
            let left = operand(left)?;
            let right = operand(self.operand()?)?;
            return check::compare(left, op, right).map(|expr| negated(at, expr, false));
        }
        if self.peek().is_word("IS") {
            return self.null(at, operand(left)?);
        }
        let not = self.take_word("NOT");
        let expr = if self.take_word("IN") {
            check::within(operand(left)?, self.list()?)?
        } else if self.take_word("LIKE") {
            check::like(operand(left)?, self.pattern()?)?
        } else if self.take_word("BETWEEN") {
            let low = operand(self.operand()?)?;
            self.expect_word("AND")?;
            check::between(operand(left)?, low, operand(self.operand()?)?)?
        } else if not {
            return Err(self.unexpected("IN、LIKE 或 BETWEEN", "IN, LIKE or BETWEEN"));
        } else {
            return Ok(left);
        };
        Ok(negated(at, expr, not))
    }

    fn comparison(&mut self) -> Result<Option<Comparison>> {
        let token = self.peek();
        if token.lexeme != Lexeme::Sign {
            return Ok(None);
        }
        let op = match token.text {
            "=" => Comparison::Equal,
            "<>" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            "!=" => return Err(self.unexpected("<>", "<>")),
            "==" => return Err(self.unexpected("=", "=")),
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(op))
    }

    fn null(&mut self, at: usize, value: Placed) -> Result<Node> {
        self.expect_word("IS")?;
        let not = self.take_word("NOT");
        self.expect_word("NULL")?;
        let expr = Expr::IsNull(value.operand);
        Ok(negated(at, expr, not))
    }

    fn list(&mut self) -> Result<Vec<Placed>> {
        self.open()?;
        let mut items = vec![operand(self.operand()?)?];
        while self.take_sign(",") {
            items.push(operand(self.operand()?)?);
        }
        self.close()?;
        Ok(items)
    }

    /// A text literal, or `CASEI` of one.
    fn pattern(&mut self) -> Result<String> {
        let wanted =
            |parser: &Self| parser.unexpected("文本模式，例如 '朝阳%'", "a pattern in quotes, such as 'North%'");
        match (&self.peek().lexeme, self.peek().is_word("CASEI"), self.peek().is_word("ACCENTI")) {
            (Lexeme::Text(_), ..) | (_, true, _) | (_, _, true) => {}
            _ => return Err(wanted(self)),
        }
        let Placed { at, operand } = operand(self.operand()?)?;
        match operand {
            Operand::Literal(Literal::Text(text)) => Ok(text),
            _ => Err(Problem::new(at, "LIKE 的模式必须是文本常量", "the pattern of LIKE must be a text in quotes")),
        }
    }

    /// What may stand on a comparison's side. Arithmetic would be read here.
    pub(crate) fn operand(&mut self) -> Result<Node> {
        let node = self.primary()?;
        let token = self.peek();
        let sign = token.lexeme == Lexeme::Sign && ["+", "-", "*", "/", "%", "^"].contains(&token.text);
        if sign || token.is_word("DIV") {
            return Err(arithmetic(token.at));
        }
        Ok(node)
    }

    fn primary(&mut self) -> Result<Node> {
        if self.peek().is_sign("(") { self.group() } else { self.atom() }
    }

    fn group(&mut self) -> Result<Node> {
        self.open()?;
        let node = self.disjunction()?;
        self.close()?;
        Ok(node)
    }

    fn atom(&mut self) -> Result<Node> {
        let token = self.peek().clone();
        let literal = |literal| Ok(Node::Operand(Placed { at: token.at, operand: Operand::Literal(literal) }));
        match token.lexeme {
            Lexeme::Sign if ["+", "-"].contains(&token.text) => literal(self.signed_number()?),
            Lexeme::Number => literal(self.signed_number()?),
            Lexeme::Text(text) => {
                self.advance();
                literal(Literal::Text(text))
            }
            Lexeme::Name(name) => {
                self.advance();
                self.name(token.at, name)
            }
            Lexeme::Word => self.word(&token),
            Lexeme::Sign | Lexeme::End => Err(self.unexpected("字段或值", "a field or a value")),
        }
    }

    fn word(&mut self, token: &Token) -> Result<Node> {
        let keyword = KEYWORDS.into_iter().find(|keyword| token.is_word(keyword));
        match keyword {
            Some("TRUE" | "FALSE") => {
                self.advance();
                let literal = Literal::Boolean(token.is_word("TRUE"));
                Ok(Node::Operand(Placed { at: token.at, operand: Operand::Literal(literal) }))
            }
            Some("NULL") => {
                let (zh, en) = ("不能与 NULL 比较，请用 IS NULL", "nothing compares with NULL: write IS NULL");
                Err(Problem::new(token.at, zh, en))
            }
            Some(_) => Err(self.unexpected("字段或值（与关键字同名的字段请加双引号）", "a field or a value")),
            None if self.after().is_sign("(") => self.function(token),
            None => {
                self.advance();
                self.name(token.at, token.text.to_owned())
            }
        }
    }

    fn name(&self, at: usize, name: String) -> Result<Node> {
        let operand = if let Some((index, kind)) = self.schema.field(&name) {
            Operand::Field(Field { index, name, kind })
        } else if self.schema.is_geometry(&name) {
            Operand::Geometry(name)
        } else {
            return Err(unknown_field(at, &name, &self.schema.names()));
        };
        Ok(Node::Operand(Placed { at, operand }))
    }

    pub(crate) fn signed_number(&mut self) -> Result<Literal> {
        let negative = self.take_sign("-");
        if !negative {
            self.take_sign("+");
        }
        let Token { at, text, lexeme } = self.peek().clone();
        match lexeme {
            Lexeme::Number => self.advance(),
            Lexeme::Word | Lexeme::Name(_) => return Err(arithmetic(at)),
            Lexeme::Sign if text == "(" => return Err(arithmetic(at)),
            _ => return Err(self.unexpected("数字", "a number")),
        }
        let text = format!("{}{text}", if negative { "-" } else { "" });
        if let Ok(whole) = text.parse() {
            return Ok(Literal::Integer(whole));
        }
        match text.parse::<f64>() {
            // A zero has no sign, so that what is equal is written alike.
            Ok(value) if value.is_finite() => Ok(Literal::Float(value + 0.0)),
            _ => Err(Problem::new(at, "数字过大", "the number is too large")),
        }
    }
}
