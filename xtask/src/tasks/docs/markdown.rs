//! As much of Markdown as the READMEs use: headings, fenced blocks, code in a line, links.

#[derive(Debug)]
pub struct Line {
    /// Its number in the file, from 0.
    pub at: usize,
    /// How many headings and how many fences stand above its end: in a block, an odd number.
    pub section: usize,
    pub block: usize,
    /// What the fence of its block says, `console` or `rust`; `#` for a heading, and nothing for text.
    pub kind: String,
    pub text: String,
}

/// Reads a README; fences are no lines of it.
pub fn lines(readme: &str) -> Vec<Line> {
    let (mut lines, mut section, mut block, mut fence) = (Vec::new(), 0, 0, "");
    for (at, text) in readme.lines().enumerate() {
        if let Some(kind) = text.strip_prefix("```") {
            fence = if block % 2 == 0 { kind.trim() } else { "" };
            block += 1;
            continue;
        }
        let is_heading = block % 2 == 0 && text.starts_with('#');
        section += usize::from(is_heading);
        let kind = if is_heading { "#" } else { fence };
        lines.push(Line { at, section, block, kind: kind.into(), text: text.into() });
    }
    lines
}

impl Line {
    /// Where its links lead, if it is text.
    pub fn links(&self) -> impl Iterator<Item = &str> {
        let links = self.text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        links.map(|(link, _)| link).filter(|_| self.block % 2 == 0)
    }

    /// The code in it, if it is text; in a `sh` block the command, without what stands behind `#` for the reader.
    pub fn code(&self) -> Vec<&str> {
        match self.kind.as_str() {
            "sh" => self.text.split('#').take(1).map(str::trim).collect(),
            _ if self.block % 2 == 0 => self.text.split('`').skip(1).step_by(2).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_is_taken_apart() {
        let lines = lines("# A\n`x y` and [z](w.md)\n## B\n```sh\n# `q`\ncargo # it\n```\nq\n```rust\nfn");
        let found =
            lines.iter().map(|line| format!("{}{}{}{}", line.at, line.section, line.block, line.kind));
        assert!(found.eq(["010#", "110", "220#", "421sh", "521sh", "722", "923rust"]));
        let code: Vec<_> = lines.iter().flat_map(Line::code).collect();
        assert!(code == ["x y", "", "cargo"] && lines.iter().flat_map(Line::links).eq(["w.md"]));
    }
}
