//! CQL2 text to a tree, by precedence. No name is looked up here.

use crate::MAX_DEPTH;
use crate::expr::{ArithmeticOp, Comparison, Literal};
use crate::lexer::{Lexeme, Token, tokens};
use crate::node::{Node, Op, Term, too_deep};
use crate::problem::{Problem, Result, shorten};

const KEYWORDS: [&str; 11] = ["AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "IS", "NULL", "TRUE", "FALSE", "DIV"];

/// How strongly an operator binds.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(crate) enum Binding {
    Or,
    And,
    Not,
    Predicate,
    Sum,
    Product,
    Power,
}

pub(crate) fn read(text: &str) -> Result<Node> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    if parser.peek().lexeme == Lexeme::End {
        return Err(Problem::new(0, "过滤条件为空", "the filter is empty"));
    }
    let node = parser.expression(Binding::Or)?;
    match parser.peek().lexeme {
        Lexeme::End => Ok(node),
        _ => Err(parser.unexpected("AND、OR 或结尾", "AND, OR or the end")),
    }
}

pub(crate) struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: usize,
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

    pub(crate) fn take_word(&mut self, keyword: &str) -> bool {
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

    fn expect_sign(&mut self, sign: &str) -> Result<()> {
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
        if self.depth > MAX_DEPTH { Err(too_deep(at)) } else { Ok(()) }
    }

    pub(crate) fn close(&mut self) -> Result<()> {
        self.depth -= 1;
        self.expect_sign(")")
    }

    /// Everything that binds at least so strongly. The functions it goes through are small: so the deepest text that is
    /// allowed needs little of the stack.
    fn expression(&mut self, least: Binding) -> Result<Node> {
        let mut left = self.prefix()?;
        while let Some(binding) = binding(self.peek()).filter(|binding| *binding >= least) {
            left = self.further(left, binding)?;
        }
        Ok(left)
    }

    fn further(&mut self, left: Node, binding: Binding) -> Result<Node> {
        match binding {
            Binding::Or => self.chain(left, Op::Or, "OR", Binding::And),
            Binding::And => self.chain(left, Op::And, "AND", Binding::Not),
            Binding::Not | Binding::Predicate => self.predicate(left),
            Binding::Sum | Binding::Product | Binding::Power => self.arithmetic(left, binding),
        }
    }

    /// `NOT`, a sign, or a term.
    fn prefix(&mut self) -> Result<Node> {
        let at = self.peek().at;
        if self.peek().is_word("NOT") {
            return self.negation(at);
        }
        if self.peek().is_sign("-") || self.peek().is_sign("+") { self.signed(at) } else { self.term() }
    }

    fn negation(&mut self, at: usize) -> Result<Node> {
        let mut times = 0;
        while self.take_word("NOT") {
            times += 1;
        }
        let node = self.expression(Binding::Predicate)?;
        // Twice is once more than none: the operand must be a condition all the same.
        (0..2 - times % 2).try_fold(node, |node, _| Node::new(at, Term::Op(Op::Not, vec![node])))
    }

    fn signed(&mut self, at: usize) -> Result<Node> {
        let negative = self.take_sign("-");
        if !negative {
            self.advance();
        }
        if self.peek().lexeme == Lexeme::Number {
            let literal = self.number(negative)?;
            return Ok(Node::leaf(at, Term::Literal(literal)));
        }
        if !negative {
            return Err(self.unexpected("数字", "a number"));
        }
        let minus = Node::leaf(at, Term::Literal(Literal::Integer(-1)));
        let operand = self.term()?;
        Node::new(at, Term::Op(Op::Arithmetic(ArithmeticOp::Multiply), vec![minus, operand]))
    }

    fn chain(&mut self, first: Node, op: Op, word: &str, tighter: Binding) -> Result<Node> {
        let at = first.at;
        let mut members = vec![first];
        while self.take_word(word) {
            members.push(self.expression(tighter)?);
        }
        Node::new(at, Term::Op(op, members))
    }

    fn arithmetic(&mut self, left: Node, binding: Binding) -> Result<Node> {
        let at = left.at;
        let name = self.peek().text;
        let op = ArithmeticOp::ALL.into_iter().find(|op| op.name().eq_ignore_ascii_case(name));
        self.advance();
        let right = match binding {
            Binding::Sum => self.expression(Binding::Product)?,
            Binding::Product => self.expression(Binding::Power)?,
            _ => self.prefix()?,
        };
        if binding == Binding::Power && self.peek().is_sign("^") {
            let (zh, en) = ("连续的 ^ 请加括号", "put parentheses around one of two powers in a row");
            return Err(Problem::new(self.peek().at, zh, en));
        }
        let op = op.map(Op::Arithmetic).ok_or_else(|| self.unexpected("运算符", "an operator"))?;
        Node::new(at, Term::Op(op, vec![left, right]))
    }

    /// What follows an operand to make it a condition.
    fn predicate(&mut self, left: Node) -> Result<Node> {
        if self.peek().lexeme == Lexeme::Sign {
            return self.comparison(left);
        }
        if self.take_word("IS") {
            let not = self.take_word("NOT");
            self.expect_word("NULL")?;
            return negated(Op::IsNull, vec![left], not);
        }
        let not = self.take_word("NOT");
        if self.take_word("IN") {
            let list = self.list()?;
            negated(Op::In, vec![left, list], not)
        } else if self.take_word("LIKE") {
            let pattern = self.expression(Binding::Sum)?;
            negated(Op::Like, vec![left, pattern], not)
        } else if self.take_word("BETWEEN") {
            self.between(left, not)
        } else {
            Err(self.unexpected("IN、LIKE 或 BETWEEN", "IN, LIKE or BETWEEN"))
        }
    }

    fn comparison(&mut self, left: Node) -> Result<Node> {
        let op = match self.peek().text {
            "!=" => return Err(self.unexpected("<>", "<>")),
            "==" => return Err(self.unexpected("=", "=")),
            sign => Comparison::ALL.into_iter().find(|op| op.name() == sign),
        };
        let op = op.ok_or_else(|| self.unexpected("比较符", "a comparison"))?;
        self.advance();
        let right = self.expression(Binding::Sum)?;
        Node::new(left.at, Term::Op(Op::Compare(op), vec![left, right]))
    }

    fn between(&mut self, left: Node, not: bool) -> Result<Node> {
        let low = self.expression(Binding::Sum)?;
        self.expect_word("AND")?;
        let high = self.expression(Binding::Sum)?;
        negated(Op::Between, vec![left, low, high], not)
    }

    fn list(&mut self) -> Result<Node> {
        let at = self.peek().at;
        self.open()?;
        let items = self.items()?;
        self.close()?;
        Node::new(at, Term::Array(items))
    }

    fn items(&mut self) -> Result<Vec<Node>> {
        let mut items = vec![self.expression(Binding::Or)?];
        while self.take_sign(",") {
            items.push(self.expression(Binding::Or)?);
        }
        Ok(items)
    }

    /// Where sets are wanted parentheses hold one, be it of one member, and do not group.
    fn sets(&mut self) -> Result<Vec<Node>> {
        let mut sets = vec![self.set()?];
        while self.take_sign(",") {
            sets.push(self.set()?);
        }
        Ok(sets)
    }

    fn set(&mut self) -> Result<Node> {
        match self.peek().is_sign("(") && !self.after().is_sign(")") {
            true => self.list(),
            false => self.expression(Binding::Or),
        }
    }

    fn term(&mut self) -> Result<Node> {
        if self.peek().is_sign("(") { self.group() } else { self.atom() }
    }

    /// One in parentheses, or an array.
    fn group(&mut self) -> Result<Node> {
        let at = self.peek().at;
        self.open()?;
        if self.peek().is_sign(")") {
            self.close()?;
            return Ok(Node::leaf(at, Term::Array(vec![])));
        }
        let mut items = self.items()?;
        self.close()?;
        match items.len() {
            1 => Ok(items.remove(0)),
            _ => Node::new(at, Term::Array(items)),
        }
    }

    fn atom(&mut self) -> Result<Node> {
        let Token { at, lexeme, .. } = self.peek().clone();
        let term = match lexeme {
            Lexeme::Number => Term::Literal(self.number(false)?),
            Lexeme::Text(text) => {
                self.advance();
                Term::Literal(Literal::Text(text))
            }
            Lexeme::Name(name) => {
                self.advance();
                Term::Property(name)
            }
            Lexeme::Word => return self.word(),
            Lexeme::Sign | Lexeme::End => return Err(self.unexpected("字段或值", "a field or a value")),
        };
        Ok(Node::leaf(at, term))
    }

    fn word(&mut self) -> Result<Node> {
        let token = self.peek().clone();
        let keyword = KEYWORDS.into_iter().find(|keyword| token.is_word(keyword));
        let term = match keyword {
            Some(word @ ("TRUE" | "FALSE")) => Term::Literal(Literal::Boolean(word == "TRUE")),
            Some("NULL") => {
                let (zh, en) = ("不能与 NULL 比较，请用 IS NULL", "nothing compares with NULL: write IS NULL");
                return Err(Problem::new(token.at, zh, en));
            }
            Some(_) => return Err(self.unexpected("字段或值（与关键字同名的字段请加双引号）", "a field or a value")),
            None if self.after().is_sign("(") || self.at_geometry() => return self.call(&token),
            None => Term::Property(token.text.to_owned()),
        };
        self.advance();
        Ok(Node::leaf(token.at, term))
    }

    /// A name before a parenthesis.
    fn call(&mut self, token: &Token) -> Result<Node> {
        if let Some(node) = self.geometry()? {
            return Ok(node);
        }
        let (at, name) = (token.at, token.text);
        self.advance();
        self.open()?;
        let of_sets = matches!(Op::named(name), Some(Op::Array(_)));
        let arguments = match self.peek().is_sign(")") {
            true => vec![],
            false if of_sets => self.sets()?,
            false => self.items()?,
        };
        self.close()?;
        let constructor = |read: fn(String) -> Term, arguments: Vec<Node>| match <[Node; 1]>::try_from(arguments) {
            Ok([Node { at, term: Term::Literal(Literal::Text(text)), .. }]) => Ok(Node::leaf(at, read(text))),
            _ => Err(Problem::new(at, "这里需要单引号中的日期", "a date in quotes is wanted here")),
        };
        if name.eq_ignore_ascii_case("DATE") {
            return constructor(Term::Date, arguments);
        }
        if name.eq_ignore_ascii_case("TIMESTAMP") {
            return constructor(Term::Timestamp, arguments);
        }
        if name.eq_ignore_ascii_case("INTERVAL") {
            return match arguments.len() {
                2 => Node::new(at, Term::Interval(arguments)),
                _ => Err(Problem::new(at, "INTERVAL 需要起止两个值", "INTERVAL takes a start and an end")),
            };
        }
        match Op::named(name)
            .filter(|op| matches!(op, Op::Casei | Op::Accenti | Op::Spatial(_) | Op::Temporal(_) | Op::Array(_)))
        {
            Some(op) => {
                let (least, most) = op.arity();
                if !(least..=most).contains(&arguments.len()) {
                    return Err(wrong_count(at, name, least));
                }
                Node::new(at, Term::Op(op, arguments))
            }
            None => Node::new(at, Term::Function(name.to_owned(), arguments)),
        }
    }

    /// The number that comes next.
    pub(crate) fn number(&mut self, negative: bool) -> Result<Literal> {
        let Token { at, text, lexeme } = self.peek().clone();
        if lexeme != Lexeme::Number {
            return Err(self.unexpected("数字", "a number"));
        }
        self.advance();
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

pub(crate) fn wrong_count(at: usize, name: &str, wanted: usize) -> Problem {
    let name = shorten(name);
    Problem::new(at, format!("{name} 需要 {wanted} 个参数"), format!("{name} takes {wanted} arguments"))
}

/// It stands where its first member does.
fn negated(op: Op, members: Vec<Node>, not: bool) -> Result<Node> {
    let at = members.first().map_or(0, |first| first.at);
    let node = Node::new(at, Term::Op(op, members))?;
    if not { Node::new(at, Term::Op(Op::Not, vec![node])) } else { Ok(node) }
}

fn binding(token: &Token) -> Option<Binding> {
    let word = |words: &[&str]| words.iter().any(|word| token.is_word(word));
    match token.lexeme {
        Lexeme::Word if word(&["OR"]) => Some(Binding::Or),
        Lexeme::Word if word(&["AND"]) => Some(Binding::And),
        Lexeme::Word if word(&["IS", "NOT", "IN", "LIKE", "BETWEEN"]) => Some(Binding::Predicate),
        Lexeme::Word if word(&["DIV"]) => Some(Binding::Product),
        Lexeme::Sign => match token.text {
            "+" | "-" => Some(Binding::Sum),
            "*" | "/" | "%" => Some(Binding::Product),
            "^" => Some(Binding::Power),
            "(" | ")" | "," => None,
            _ => Some(Binding::Predicate),
        },
        _ => None,
    }
}
