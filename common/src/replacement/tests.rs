use super::*;
use std::env;

/// A directory of one's own; dropped, it is removed.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("replacement-{name}-{}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// What is in it, each with its content.
    fn files(&self) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (path.file_name().unwrap().to_str().unwrap().into(), fs::read_to_string(path).unwrap())
            })
            .collect();
        files.sort();
        files
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn owned(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(name, content)| ((*name).into(), (*content).into())).collect()
}

#[test]
fn one_file_can_be_replaced_twice_at_the_same_time_and_neither_writes_into_the_others() {
    let directory = Directory::new("same");
    let path = directory.file("page", "old");
    let mut both = [Replacement::of(&path).unwrap(), Replacement::of(&path).unwrap()];
    both[0].write_all(b"longer").unwrap();
    both[1].write_all(b"new").unwrap();
    let [first, second] = both;
    first.finish().unwrap();
    second.finish().unwrap();
    assert_eq!(directory.files(), owned(&[("page", "new")]));
}

#[test]
fn a_name_that_another_process_of_our_number_has_taken_is_left_alone() {
    for is_finished in [true, false] {
        let directory = Directory::new(&format!("taken-{is_finished}"));
        let path = directory.file("page", "old");
        let taken = format!(".page.{}-0.part", process::id());
        directory.file(&taken, "another's");
        let mut replacement = Replacement::of(&path).unwrap();
        replacement.write_all(b"new").unwrap();
        assert_eq!(directory.files().len(), 3);
        if is_finished {
            replacement.finish().unwrap();
        } else {
            drop(replacement);
        }
        let content = if is_finished { "new" } else { "old" };
        assert_eq!(directory.files(), owned(&[(&taken, "another's"), ("page", content)]));
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_is_more_than_a_name_and_its_mode_bits_is_written_into() {
    for (mode, has_two_names, is_same_file) in
        [(0o644, false, false), (0o600, false, false), (0o640, false, true), (0o600, true, true)]
    {
        let directory = Directory::new(&format!("place-{mode:o}-{has_two_names}"));
        let path = directory.file("page", "old, and longer");
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        if has_two_names {
            fs::hard_link(&path, directory.0.join("too")).unwrap();
        }
        let before = fs::metadata(&path).unwrap().ino();
        let mut replacement = Replacement::of(&path).unwrap();
        let private = replacement.file.metadata().unwrap().mode() & 0o777;
        replacement.write_all(b"new").unwrap();
        replacement.finish().unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!((private, after.mode() & 0o777, after.ino() == before), (0o600, mode, is_same_file));
        assert!(directory.files().iter().all(|(_, content)| content == "new"), "{:?}", directory.files());
        assert_eq!(directory.files().len(), 1 + usize::from(has_two_names));
    }
}
