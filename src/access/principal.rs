//! Who asks: a person's session, a department's application key, the operator at the machine, or nobody in particular.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a person may do beside reading, within the own department unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the platform: departments, people, quotas. Reads data as its department does, no more.
    PlatformAdministrator,
    /// Manages the department's people and keys, and publishes.
    DepartmentAdministrator,
    /// Uploads, publishes and rolls back the department's layers.
    Publisher,
    /// Decides on requests for the department's layers, gives and revokes grants on them.
    Approver,
    /// Reads.
    User,
    /// Reads the audit trail. Never one person with an administrator.
    Auditor,
}

impl Role {
    pub const ALL: [Role; 6] = [
        Role::PlatformAdministrator,
        Role::DepartmentAdministrator,
        Role::Publisher,
        Role::Approver,
        Role::User,
        Role::Auditor,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Role::PlatformAdministrator => "platform_administrator",
            Role::DepartmentAdministrator => "department_administrator",
            Role::Publisher => "publisher",
            Role::Approver => "approver",
            Role::User => "user",
            Role::Auditor => "auditor",
        }
    }
    pub fn parse(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|r| r.name() == name)
    }
    pub fn publishes(self) -> bool {
        matches!(self, Role::PlatformAdministrator | Role::DepartmentAdministrator | Role::Publisher)
    }
    pub fn manages_keys(self) -> bool {
        self.is_administrator()
    }
    /// Whether this role gives and takes grants for its department.
    pub fn decides(self) -> bool {
        matches!(self, Role::PlatformAdministrator | Role::DepartmentAdministrator | Role::Approver)
    }
    pub fn is_administrator(self) -> bool {
        matches!(self, Role::PlatformAdministrator | Role::DepartmentAdministrator)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Person {
        id: i64,
        login: Arc<str>,
        name: Arc<str>,
        role: Role,
    },
    Key {
        id: Uuid,
        label: Arc<str>,
    },
    /// A signed address, good for looking at some layers.
    Signed {
        kid: Arc<str>,
        layers: Arc<[String]>,
    },
    /// Somebody with a shell on the machine, acting for a department.
    Operator,
    Anonymous,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub who: Who,
    /// The unit that is granted things; nobody's for the anonymous.
    pub department: Option<Arc<str>>,
}

impl Principal {
    pub fn anonymous() -> Principal {
        Principal { who: Who::Anonymous, department: None }
    }
    pub fn operator(department: &str) -> Principal {
        Principal { who: Who::Operator, department: Some(department.into()) }
    }
    pub fn is_anonymous(&self) -> bool {
        self.who == Who::Anonymous
    }
    pub fn role(&self) -> Option<Role> {
        match self.who {
            Who::Person { role, .. } => Some(role),
            _ => None,
        }
    }
    /// Whether this principal may change its department's layers. Keys may not: they stand in web pages.
    pub fn publishes(&self) -> bool {
        self.who == Who::Operator || self.role().is_some_and(Role::publishes)
    }
    /// Whether this principal gives and takes grants on its department's layers.
    pub fn decides(&self) -> bool {
        self.who == Who::Operator || self.role().is_some_and(Role::decides)
    }
    /// Whether this principal may draw on its department's annotation layers: a person, whose name each mark bears.
    pub fn annotates(&self) -> bool {
        self.role().is_some_and(|role| role != Role::Auditor)
    }
    /// The name in audit rows and jobs.
    pub fn name(&self) -> String {
        match &self.who {
            Who::Person { login, .. } => format!("person:{login}"),
            Who::Key { id, .. } => format!("key:{id}"),
            Who::Signed { kid, .. } => format!("signed:{kid}"),
            Who::Operator => "operator".into(),
            Who::Anonymous => "anonymous".into(),
        }
    }
}
