//! The OpenID provider at which people may sign in.

use crate::error::{Error, Result};

/// Without an issuer there is none.
#[derive(Debug, Clone)]
pub struct Oidc {
    /// As the provider names itself; its description is at `{issuer}/.well-known/openid-configuration`.
    pub oidc_issuer: Option<String>,
    pub oidc_client_id: Option<String>,
    /// None for a client that keeps no secret: then PKCE alone protects the code.
    pub oidc_client_secret: Option<String>,
    /// What stands on the button.
    pub oidc_label_zh: String,
    pub oidc_label_en: String,
    /// What is asked of the provider.
    pub oidc_scope: String,
    /// The claim by which accounts may be linked beforehand, beside the subject: `email` (when it is verified) or a login.
    pub oidc_link_claim: Option<String>,
    /// The claim that names the department, by id or code: with it, whoever is not known is made a user of that department.
    pub oidc_department_claim: Option<String>,
    /// Values of `amr` or `acr` by which the provider says that it has seen a second factor.
    pub oidc_second_factor: Vec<String>,
}

impl Default for Oidc {
    fn default() -> Self {
        Oidc {
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_client_secret: None,
            oidc_label_zh: "统一身份认证登录".into(),
            oidc_label_en: "Sign in with your unified identity".into(),
            oidc_scope: "openid profile".into(),
            oidc_link_claim: None,
            oidc_department_claim: None,
            oidc_second_factor: vec![],
        }
    }
}

impl Oidc {
    /// Whether what belongs together is there. The provider sends people back to `public_url`.
    pub(super) fn check(&self, public_url: Option<&str>) -> Result<()> {
        let Some(issuer) = &self.oidc_issuer else { return Ok(()) };
        let wrong = |name: &str, zh: &str, en: &str| Err(Error::invalid(name, zh, en));
        if !is_safe(issuer) || issuer.contains(['?', '#']) {
            let (zh, en) = ("必须是 https 地址（本机可用 http）", "it is an https address (http on this machine only)");
            return wrong("oidc_issuer", zh, en);
        }
        if self.oidc_client_id.is_none() {
            return wrong("oidc_client_id", "设置了 oidc_issuer 时必填", "it belongs to oidc_issuer");
        }
        if !self.oidc_scope.split(' ').any(|scope| scope == "openid") {
            return wrong("oidc_scope", "必须包含 openid", "it has openid among its words");
        }
        match public_url {
            Some(_) => Ok(()),
            None => wrong(
                "public_url",
                "使用统一身份认证登录时必须设置：身份提供方据此返回",
                "it must be set with oidc_issuer: the provider sends people back to it",
            ),
        }
    }
}

/// Whether what is sent to an address cannot be read on the way: https, or a service on this machine.
pub fn is_safe(address: &str) -> bool {
    let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let is_here = |start: &&str| {
        address.strip_prefix(start).is_some_and(|rest| matches!(rest.chars().next(), None | Some(':' | '/')))
    };
    address.len() < 2000 && (address.starts_with("https://") || here.iter().any(is_here))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_whole_or_refused() {
        let whole = Oidc {
            oidc_issuer: Some("https://id.example/realms/city".into()),
            oidc_client_id: Some("onemap".into()),
            ..Oidc::default()
        };
        let refused = |oidc: &Oidc| oidc.check(Some("https://map.example")).is_err();
        assert!(!refused(&whole) && !refused(&Oidc::default()) && Oidc::default().check(None).is_ok());
        assert!(whole.check(None).is_err());
        for issuer in [
            "http://id.example",
            "http://127.0.0.1.evil.example",
            "http://localhost@evil.example",
            "id",
            "https://a/?b",
        ] {
            assert!(refused(&Oidc { oidc_issuer: Some(issuer.into()), ..whole.clone() }), "{issuer}");
        }
        assert!(!refused(&Oidc { oidc_issuer: Some("http://127.0.0.1:9000".into()), ..whole.clone() }));
        assert!(refused(&Oidc { oidc_client_id: None, ..whole.clone() }));
        assert!(refused(&Oidc { oidc_scope: "profile".into(), ..whole }));
    }
}
