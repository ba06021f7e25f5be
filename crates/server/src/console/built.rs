//! The files that `web/build` has made. It writes this list, too.

use super::embedded::embedded;
use super::file::ConsoleFile;

embedded! {
    "index.html"
    "DataTable-CuwuJlPP.css"
    "DataTable-QJdoY6_g.js"
    "Figure-CgGRcaY_.js"
    "icon-DxSsVZ4S.svg"
    "index-7BdeYffC.js"
    "index-Bz2MFF6I.css"
    "sql-B6Pe1o8E.js"
    "sql-h5BpWq2o.css"
    "system-B1ZF5J13.js"
    "system-D8xoXYCS.css"
    "uPlot-CnsZ1jie.css"
    "uPlot.min-CiSLcwEX.js"
    "wall-D8kwWZt_.css"
    "wall-EJzjGAdo.js"
}
