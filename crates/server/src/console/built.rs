//! The files that `web/build` has made. It writes this list, too.

use super::embedded::embedded;
use super::file::ConsoleFile;

embedded! {
    "index.html"
    "DataTable-1EIA8HuR.js"
    "DataTable-CuwuJlPP.css"
    "Figure-SLENnV41.js"
    "icon-DxSsVZ4S.svg"
    "index-Bz2MFF6I.css"
    "index-ouKK_PYJ.js"
    "sql-CYvScv-a.js"
    "sql-h5BpWq2o.css"
    "system-B5HE0ypZ.js"
    "system-D8xoXYCS.css"
    "uPlot-CnsZ1jie.css"
    "uPlot.min-CH6pRieQ.js"
    "wall-BCWfcimD.js"
    "wall-D8kwWZt_.css"
}
