//! What a capabilities document says of us: titles, the provider, where to send requests.

use super::xml::Xml;
use crate::config::Provider;
use crate::http::ask::{Ask, Language};

/// The service in the caller's language.
pub struct Service<'a> {
    pub title: &'static str,
    pub description: &'static str,
    pub keywords: &'static [&'static str],
    pub provider: &'a Provider,
}

impl<'a> Service<'a> {
    pub fn of(ask: &'a Ask) -> Service<'a> {
        let (title, description) = match ask.language {
            Language::Chinese => ("政务一张图", "城市政务共享图层：按共享规则提供，只列出当前身份可读的图层。"),
            Language::English => {
                ("onemap", "A city's shared map layers, under its rules of sharing: those that the caller may read.")
            }
        };
        Service { title, description, keywords: &["onemap", "政务", "共享"], provider: &ask.app.config.provider }
    }

    /// `ows:ServiceIdentification` (06-121r9, 7.4.4). The namespace prefix is `ows`, of whichever version.
    pub fn identification(&self, xml: &mut Xml, kind: &str, versions: &[&str]) {
        xml.element("ows:ServiceIdentification", &[], |xml| {
            xml.text("ows:Title", self.title).text("ows:Abstract", self.description);
            xml.element("ows:Keywords", &[], |xml| {
                for word in self.keywords {
                    xml.text("ows:Keyword", word);
                }
            });
            xml.text("ows:ServiceType", kind);
            for version in versions {
                xml.text("ows:ServiceTypeVersion", version);
            }
            xml.text("ows:Fees", "NONE").text("ows:AccessConstraints", "NONE");
        });
    }

    /// `ows:ServiceProvider` (06-121r9, 7.4.5).
    pub fn provided(&self, xml: &mut Xml) {
        let p = self.provider;
        xml.element("ows:ServiceProvider", &[], |xml| {
            xml.text("ows:ProviderName", self.name());
            if let Some(site) = &p.provider_site {
                xml.empty("ows:ProviderSite", &[("xlink:href", site)]);
            }
            xml.element("ows:ServiceContact", &[], |xml| {
                xml.some("ows:IndividualName", p.contact_name.as_deref());
                if p.contact_phone.is_none() && p.contact_email.is_none() {
                    return;
                }
                xml.element("ows:ContactInfo", &[], |xml| {
                    if let Some(phone) = &p.contact_phone {
                        xml.element("ows:Phone", &[], |xml| {
                            xml.text("ows:Voice", phone);
                        });
                    }
                    if let Some(email) = &p.contact_email {
                        xml.element("ows:Address", &[], |xml| {
                            xml.text("ows:ElectronicMailAddress", email);
                        });
                    }
                });
            });
        });
    }

    pub fn name(&self) -> &str {
        self.provider.provider_name.as_deref().unwrap_or(self.title)
    }
}

/// `ows:Operation` for `ows:OperationsMetadata`: GET at an address, perhaps POST, and the values of parameters.
/// The address ends in `?` (or `&` after a credential), as clients paste their parameters behind it.
pub fn operation(xml: &mut Xml, name: &str, get: &str, post: Option<&str>, parameters: &[(&str, &[&str])]) {
    xml.element("ows:Operation", &[("name", name)], |xml| {
        xml.element("ows:DCP", &[], |xml| {
            xml.element("ows:HTTP", &[], |xml| {
                xml.element("ows:Get", &[("xlink:href", get)], |xml| {
                    constraint(xml, "GetEncoding", "KVP");
                });
                if let Some(post) = post {
                    xml.empty("ows:Post", &[("xlink:href", post)]);
                }
            });
        });
        for (name, values) in parameters {
            xml.element("ows:Parameter", &[("name", name)], |xml| allowed(xml, values));
        }
    });
}

fn constraint(xml: &mut Xml, name: &str, value: &str) {
    xml.element("ows:Constraint", &[("name", name)], |xml| allowed(xml, &[value]));
}

/// `ows:AllowedValues`.
pub fn allowed(xml: &mut Xml, values: &[&str]) {
    xml.element("ows:AllowedValues", &[], |xml| {
        for value in values {
            xml.text("ows:Value", value);
        }
    });
}

/// An address of ours that clients append parameters to: with the credential, ending in `?` or `&`.
pub fn endpoint(ask: &Ask, path: &str) -> String {
    let url = ask.carried.url(&format!("{}{path}", ask.base));
    format!("{url}{}", if url.contains('?') { '&' } else { '?' })
}
