//! As much of Markdown as the READMEs use: headings, fenced blocks, code in a line, links.

/// A README, taken apart.
#[derive(Debug, Default)]
pub struct Document {
    /// The levels of the headings, in order.
    pub headings: Vec<usize>,
    /// The fenced blocks, in order.
    pub blocks: Vec<Block>,
    /// Code within a line.
    pub spans: Vec<String>,
    /// Where links lead.
    pub links: Vec<String>,
    /// Where a block begins that does not end, in lines from 0.
    pub unclosed: Option<usize>,
}

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    /// What the fence says it is: `console`, `rust`, `text`.
    pub kind: String,
    /// How many headings stand before it.
    pub section: usize,
    /// The number of its first line in the file, from 0.
    pub at: usize,
    /// Its lines.
    pub lines: Vec<String>,
}

impl Document {
    /// Reads a README.
    pub fn new(text: &str) -> Self {
        let mut document = Self::default();
        let mut open: Option<Block> = None;
        for (at, line) in text.lines().enumerate() {
            let fence = line.strip_prefix("```");
            match (&mut open, fence) {
                (Some(_), Some(_)) => document.blocks.extend(open.take()),
                (Some(block), None) => block.lines.push(line.into()),
                (None, Some(kind)) => {
                    let section = document.headings.len();
                    open = Some(Block { kind: kind.trim().into(), section, at: at + 1, lines: Vec::new() });
                }
                (None, None) => document.read_line(line),
            }
        }
        document.unclosed = open.map(|block| block.at);
        document
    }

    fn read_line(&mut self, line: &str) {
        let level = line.len() - line.trim_start_matches('#').len();
        if level > 0 && line[level..].starts_with(' ') {
            self.headings.push(level);
        }
        self.spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        let ends = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        self.links.extend(ends.map(|(link, _)| link.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_is_taken_apart() {
        let text = "# A\ntext `x y` and [z](w.md)\n## B\n```console\n# not a heading\n$ ls\n```\n`q`\n";
        let document = Document::new(text);
        assert_eq!(document.headings, [1, 2]);
        assert_eq!(
            (document.spans, document.links),
            (vec!["x y".into(), "q".to_owned()], vec!["w.md".into()])
        );
        let block = &document.blocks[0];
        assert_eq!((&*block.kind, block.section, block.at), ("console", 2, 4));
        assert_eq!(block.lines, ["# not a heading", "$ ls"]);
        assert_eq!((document.unclosed, Document::new("```text\nx").unclosed), (None, Some(1)));
    }
}
