//! The options of `serve` about how clients see the server.

use anyhow::Result;
use clap::Args;
use skillscope_server::{AllowedHosts, HttpOptions, TrustedProxies};

use crate::output::Usage;

#[derive(Debug, Args)]
pub(crate) struct ReachabilityArguments {
    /// A proxy whose X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host are believed: its address, or a network
    /// such as 10.0.0.0/8. Repeatable.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub(crate) trusted_proxy: Vec<String>,
    /// A name under which the server is reached, besides its own addresses and localhost. Without tokens, requests for
    /// any other name are refused. Repeatable.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    allow_host: Vec<String>,
}

impl ReachabilityArguments {
    /// The options of HTTP with these; `listen` is the address to listen on, whose host is a name of the server, too.
    pub(crate) fn set(&self, options: HttpOptions, listen: &str) -> Result<HttpOptions> {
        let trusted_proxies = TrustedProxies::parse(&self.trusted_proxy).map_err(Usage::error)?;
        let own = listen.rsplit_once(':').map(|(host, _)| host.to_owned());
        let hosts: Vec<String> = self.allow_host.iter().cloned().chain(own).collect();
        let allowed_hosts = AllowedHosts::parse(&hosts).map_err(Usage::error)?;
        Ok(HttpOptions { trusted_proxies, allowed_hosts, ..options })
    }
}
