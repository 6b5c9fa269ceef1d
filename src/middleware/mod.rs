//! What surrounds a handler, one concern a file. [`listen`](crate::server::listen) says in which order.

mod accept;
mod admit;
mod caching;
mod compress;
mod cors;
mod etag;
mod hooks;
mod host;
mod rate_limit;
mod request_id;
mod secure;
mod throttle;
mod timing;
mod wire;

pub use accept::{Renders, accepts, preferred, wanted};
pub use admit::admit;
pub use caching::{Caching, say_caching};
pub use compress::{Encoding, compress};
pub use cors::{Origin, cors, cors_errors};
pub use etag::tagged;
pub use hooks::{Hook, Hooks, hooked, page_data};
pub use host::check_host;
pub use rate_limit::{limit_the_rest, rate_limit};
pub use request_id::{name_fault, name_request, request_id};
pub use secure::secure;
pub use throttle::throttle;
pub use timing::{Route, Watch, method, time_request};
pub use wire::{follow, refuse_malformed};

use actix_web::{
    Error as ActixError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};

use crate::error::Error;

/// Lets a request in against which nothing was said, and answers it with what was.
///
/// # Errors
/// Those of the service inside.
async fn unless_refused<B: MessageBody>(
    judged: Result<(), Error>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    match judged {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(error) => Ok(request.error_response(error).map_into_right_body()),
    }
}
