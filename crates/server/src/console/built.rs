//! The files that `web/build` has made. It writes this list, too.

use super::embedded::embedded;
use super::file::ConsoleFile;

embedded! {
    "index.html"
    "DataTable-Bt2tilEc.js"
    "DataTable-CuwuJlPP.css"
    "Figure-C0nh665U.js"
    "Notice-Dr6gzeqv.js"
    "icon-DxSsVZ4S.svg"
    "index-Bz2MFF6I.css"
    "index-CUDnev9H.js"
    "sql-CA-HdCcD.js"
    "sql-h5BpWq2o.css"
    "system-BNv8zEhr.js"
    "system-Cd96MlSh.css"
    "uPlot-CnsZ1jie.css"
    "uPlot.min-CpRc2VaY.js"
    "wall-CjIyI86A.css"
    "wall-DICB6bTv.js"
}
