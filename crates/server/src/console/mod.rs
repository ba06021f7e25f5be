//! The web console, as `web/build` has made it of what is in `web`: its files are compressed, and a part of the program.

mod built;
mod embedded;
mod file;

pub(crate) use file::ConsoleFile;

use built::{ASSETS, PAGE};

/// The page, which loads everything else.
pub(crate) fn page() -> &'static ConsoleFile {
    &PAGE
}

/// What the page loads by this name; `None` where there is nothing of that name.
pub(crate) fn asset(name: &str) -> Option<&'static ConsoleFile> {
    ASSETS.iter().find(|asset| asset.name() == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Everything together, as it comes over the wire.
    const MOST_BYTES: usize = 500_000;

    fn all() -> impl Iterator<Item = &'static ConsoleFile> {
        ASSETS.iter().chain([&PAGE])
    }

    #[test]
    fn each_file_unpacks_to_something_of_a_known_type() {
        for file in all() {
            assert!(!file.unpacked().is_empty(), "{}", file.name());
            assert_ne!(file.media_type(), "application/octet-stream", "{}", file.name());
        }
    }

    #[test]
    fn all_files_together_are_small() {
        assert!(all().map(|file| file.gzip().len()).sum::<usize>() < MOST_BYTES);
    }

    #[test]
    fn no_name_comes_twice_and_each_has_a_hash() {
        let names: BTreeSet<&str> = ASSETS.iter().map(ConsoleFile::name).collect();
        assert_eq!(names.len(), ASSETS.len());
        for name in names {
            let stem = name.rsplit_once('.').unwrap().0;
            assert!(stem.rsplit_once('-').is_some() && stem.len() > 9, "{name} may be kept by browsers for a year");
        }
    }

    #[test]
    fn what_the_page_loads_is_there_and_nothing_is_written_into_it() {
        let page = String::from_utf8(PAGE.unpacked().to_vec()).unwrap();
        let loaded: Vec<&str> = page.split("\"/assets/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(!loaded.is_empty(), "{page}");
        for name in loaded {
            assert!(asset(name).is_some(), "{name}");
        }
        // The policy that it is served with forbids both.
        assert!(!page.contains("<style") && !page.contains(" style="), "{page}");
        assert!(page.split("<script").skip(1).all(|script| script.contains("src=")), "{page}");
    }
}
