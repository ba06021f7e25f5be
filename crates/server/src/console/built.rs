//! The files that `web/build` has made. It writes this list, too.

use super::embedded::embedded;
use super::file::ConsoleFile;

embedded! {
    "index.html"
    "placeholder-00000000.css"
}
