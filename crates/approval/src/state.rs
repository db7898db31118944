//! The state machine. `next` is the only place where a state follows from another.

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// 草稿: its writer's alone.
    Draft,
    /// 待审: before the approver of the current step.
    Submitted,
    /// 退回: to be mended by its writer.
    Returned,
    /// 已批准: decided; the term has not begun.
    Approved,
    /// 已驳回.
    Rejected,
    /// 生效.
    Active,
    /// 到期.
    Expired,
    /// 收回: by the owner.
    Revoked,
    /// 交回: by the grantee.
    Surrendered,
}

impl State {
    pub const ALL: [State; 9] = [
        State::Draft,
        State::Submitted,
        State::Returned,
        State::Approved,
        State::Rejected,
        State::Active,
        State::Expired,
        State::Revoked,
        State::Surrendered,
    ];

    pub fn name(self) -> &'static str {
        match self {
            State::Draft => "draft",
            State::Submitted => "submitted",
            State::Returned => "returned",
            State::Approved => "approved",
            State::Rejected => "rejected",
            State::Active => "active",
            State::Expired => "expired",
            State::Revoked => "revoked",
            State::Surrendered => "surrendered",
        }
    }

    pub fn zh(self) -> &'static str {
        match self {
            State::Draft => "草稿",
            State::Submitted => "待审批",
            State::Returned => "已退回",
            State::Approved => "已批准",
            State::Rejected => "已驳回",
            State::Active => "生效中",
            State::Expired => "已到期",
            State::Revoked => "已收回",
            State::Surrendered => "已交回",
        }
    }

    pub fn parse(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|s| s.name() == name)
    }

    /// Whether nothing can follow any more.
    pub fn is_over(self) -> bool {
        matches!(self, State::Rejected | State::Expired | State::Revoked | State::Surrendered)
    }

    /// Whether a grant stands behind it.
    pub fn is_granted(self) -> bool {
        matches!(self, State::Approved | State::Active)
    }
}

/// What is done to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Edit,
    Submit,
    Withdraw,
    Return,
    Approve,
    Reject,
    /// Grants without a decision what is shared unconditionally.
    Record,
    Begin,
    Expire,
    Revoke,
    Surrender,
}

impl Action {
    pub const ALL: [Action; 11] = [
        Action::Edit,
        Action::Submit,
        Action::Withdraw,
        Action::Return,
        Action::Approve,
        Action::Reject,
        Action::Record,
        Action::Begin,
        Action::Expire,
        Action::Revoke,
        Action::Surrender,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Action::Edit => "edit",
            Action::Submit => "submit",
            Action::Withdraw => "withdraw",
            Action::Return => "return",
            Action::Approve => "approve",
            Action::Reject => "reject",
            Action::Record => "record",
            Action::Begin => "begin",
            Action::Expire => "expire",
            Action::Revoke => "revoke",
            Action::Surrender => "surrender",
        }
    }
}

/// Whose decision a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// An approver of the department that asks.
    Requester,
    /// An approver of the department that owns the layer.
    Owner,
    /// The platform's administrator.
    Platform,
}

impl Step {
    pub const ALL: [Step; 3] = [Step::Requester, Step::Owner, Step::Platform];

    pub fn name(self) -> &'static str {
        match self {
            Step::Requester => "requester",
            Step::Owner => "owner",
            Step::Platform => "platform",
        }
    }

    pub fn parse(name: &str) -> Option<Step> {
        Step::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// As what somebody acts on a request. One person may be several of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// The department that asks.
    Requester,
    /// The one before whom the current step lies.
    Approver,
    /// The department that owns the layer.
    Owner,
    /// The platform itself: terms begin and end, grants are revoked elsewhere.
    System,
}

/// A wanted move, with what the machine must know of the request beside its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    pub action: Action,
    /// Whether further steps follow the current one.
    pub steps_left: bool,
}

/// Why a move is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody could do that in this state.
    State,
    /// Somebody else could.
    Party,
}

/// The state after a move by somebody who is all of `parties`.
pub fn next(state: State, wanted: Move, parties: &[Party]) -> Result<State, Refusal> {
    use Action as A;
    use Party::{Approver, Owner, Requester, System};
    use State as S;
    let (to, by): (State, &[Party]) = match (state, wanted.action) {
        (S::Draft | S::Returned, A::Edit) => (state, &[Requester]),
        (S::Draft | S::Returned, A::Submit) => (S::Submitted, &[Requester]),
        (S::Submitted, A::Withdraw) => (S::Draft, &[Requester]),
        (S::Submitted, A::Return) => (S::Returned, &[Approver]),
        (S::Submitted, A::Reject) => (S::Rejected, &[Approver]),
        (S::Submitted, A::Approve) if wanted.steps_left => (S::Submitted, &[Approver]),
        (S::Submitted, A::Approve) => (S::Approved, &[Approver]),
        (S::Submitted, A::Record) => (S::Approved, &[System]),
        (S::Approved, A::Begin) => (S::Active, &[System]),
        (S::Approved | S::Active, A::Expire) => (S::Expired, &[System]),
        (S::Approved | S::Active, A::Revoke) => (S::Revoked, &[Owner, System]),
        (S::Approved | S::Active, A::Surrender) => (S::Surrendered, &[Requester, System]),
        _ => return Err(Refusal::State),
    };
    if parties.iter().any(|party| by.contains(party)) { Ok(to) } else { Err(Refusal::Party) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const PARTIES: [Party; 4] = [Party::Requester, Party::Approver, Party::Owner, Party::System];

    /// Every move that exists, written down a second time and flatly: from, action, steps left, party, to.
    const MOVES: &[(&str, &str, Option<bool>, Party, &str)] = &[
        ("draft", "edit", None, Party::Requester, "draft"),
        ("returned", "edit", None, Party::Requester, "returned"),
        ("draft", "submit", None, Party::Requester, "submitted"),
        ("returned", "submit", None, Party::Requester, "submitted"),
        ("submitted", "withdraw", None, Party::Requester, "draft"),
        ("submitted", "return", None, Party::Approver, "returned"),
        ("submitted", "reject", None, Party::Approver, "rejected"),
        ("submitted", "approve", Some(true), Party::Approver, "submitted"),
        ("submitted", "approve", Some(false), Party::Approver, "approved"),
        ("submitted", "record", None, Party::System, "approved"),
        ("approved", "begin", None, Party::System, "active"),
        ("approved", "expire", None, Party::System, "expired"),
        ("active", "expire", None, Party::System, "expired"),
        ("approved", "revoke", None, Party::Owner, "revoked"),
        ("active", "revoke", None, Party::Owner, "revoked"),
        ("approved", "revoke", None, Party::System, "revoked"),
        ("active", "revoke", None, Party::System, "revoked"),
        ("approved", "surrender", None, Party::Requester, "surrendered"),
        ("active", "surrender", None, Party::Requester, "surrendered"),
        ("approved", "surrender", None, Party::System, "surrendered"),
        ("active", "surrender", None, Party::System, "surrendered"),
    ];

    #[test]
    fn every_combination_is_either_listed_or_refused() {
        for state in State::ALL {
            for action in Action::ALL {
                for steps_left in [false, true] {
                    for party in PARTIES {
                        let listed = MOVES.iter().find(|(from, what, left, by, _)| {
                            *from == state.name()
                                && *what == action.name()
                                && left.is_none_or(|left| left == steps_left)
                                && *by == party
                        });
                        let made = next(state, Move { action, steps_left }, &[party]);
                        assert_eq!(
                            made.ok().map(State::name),
                            listed.map(|(.., to)| *to),
                            "{state:?} {action:?} {steps_left} {party:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_wrong_state_is_told_before_the_wrong_party() {
        let of = |state, action, party| next(state, Move { action, steps_left: false }, &[party]);
        assert_eq!(of(State::Draft, Action::Approve, Party::Requester), Err(Refusal::State));
        assert_eq!(of(State::Submitted, Action::Approve, Party::Requester), Err(Refusal::Party));
        assert_eq!(of(State::Active, Action::Revoke, Party::Approver), Err(Refusal::Party));
    }

    #[test]
    fn what_is_over_stays_over_and_everything_else_can_end() {
        for state in State::ALL {
            let follows: HashSet<State> = Action::ALL
                .into_iter()
                .flat_map(|action| [false, true].map(|steps_left| Move { action, steps_left }))
                .filter_map(|wanted| next(state, wanted, &PARTIES).ok())
                .collect();
            assert_eq!(follows.is_empty(), state.is_over(), "{state:?}");
        }
        let mut reached = HashSet::from([State::Draft]);
        while let Some(new) = reached.iter().copied().find_map(|from| {
            Action::ALL.into_iter().find_map(|action| {
                [false, true].into_iter().find_map(|steps_left| {
                    next(from, Move { action, steps_left }, &PARTIES).ok().filter(|to| !reached.contains(to))
                })
            })
        }) {
            reached.insert(new);
        }
        assert_eq!(reached.len(), State::ALL.len(), "every state can be reached from a draft");
    }

    #[test]
    fn names_lead_back() {
        for state in State::ALL {
            assert_eq!(State::parse(state.name()), Some(state));
        }
        for step in Step::ALL {
            assert_eq!(Step::parse(step.name()), Some(step));
        }
        assert_eq!(State::parse("gone"), None);
    }
}
