//! Traces that are sent elsewhere, by OTLP over gRPC. They are behind the feature `otlp`, since few need them.

/// Sends spans for as long as it lives. Dropping it sends what is left.
pub(crate) struct Traces {
    #[cfg(feature = "otlp")]
    _sender: Option<Sender>,
}

#[cfg(feature = "otlp")]
struct Sender {
    provider: opentelemetry_sdk::trace::SdkTracerProvider,
    /// The connection is served by a thread of its own.
    _runtime: tokio::runtime::Runtime,
}

impl Traces {
    /// Sends nothing.
    pub(super) fn none() -> Self {
        Self {
            #[cfg(feature = "otlp")]
            _sender: None,
        }
    }
}

/// What sends spans to `endpoint`, and the layer that gives them to it.
///
/// # Errors
/// Where the endpoint is no URL.
#[cfg(feature = "otlp")]
pub(super) fn to<S>(endpoint: &str) -> anyhow::Result<(Traces, impl tracing_subscriber::Layer<S> + Send + Sync)>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a> + Send + Sync,
{
    use anyhow::Context;
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_otlp::{SpanExporter, WithExportConfig};
    use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};

    const NAME: &str = "skillscope";
    if !endpoint.starts_with("http://") {
        let rule = "--otlp-endpoint begins with http://: a collector beside the server passes spans on";
        return Err(crate::output::Usage::error(rule));
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("otlp").enable_all().build();
    let runtime = runtime.context("cannot start the thread that sends traces")?;
    let exporter = {
        let _runtime = runtime.enter();
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint);
        exporter.build().with_context(|| format!("--otlp-endpoint {endpoint} cannot be used"))?
    };
    let resource = Resource::builder().with_service_name(NAME).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(NAME));
    Ok((Traces { _sender: Some(Sender { provider, _runtime: runtime }) }, layer))
}

/// An error that says how to have them.
#[cfg(not(feature = "otlp"))]
pub(super) fn to(_endpoint: &str) -> anyhow::Result<(Traces, tracing_subscriber::layer::Identity)> {
    Err(crate::output::Usage::error(
        "--otlp-endpoint: this program was built without OTLP; build it with `cargo build --release --features otlp`",
    ))
}

#[cfg(feature = "otlp")]
impl Drop for Sender {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}
