//! What each side may do with a row, when, and what has to come of it.

/// What there is before: a row that both ends have, and whose, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Start {
    Desktops,
    Mobiles,
    Absent,
}

/// What one side does with the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    Nothing,
    Insert,
    Update,
    Unstamped,
    Delete,
}

/// Which side's change is the later one, by stamps and clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Later {
    Desktop,
    Mobile,
    Neither,
}

/// Where a change falls: before a `sync`, between its halves (reverse is through, forward is not),
/// or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    Before,
    Between,
    After,
}

/// Who had seen the other's change before he made his own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    Neither,
    ByMobile,
    ByDesktop,
}

/// A version of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    None,
    Start,
    Desktop,
    Mobile,
}

pub const STARTS: [Start; 3] = [Start::Desktops, Start::Mobiles, Start::Absent];
pub const CHANGES: [Change; 5] =
    [Change::Nothing, Change::Insert, Change::Update, Change::Unstamped, Change::Delete];
pub const LATER: [Later; 3] = [Later::Desktop, Later::Mobile, Later::Neither];
pub const MOMENTS: [Moment; 3] = [Moment::Before, Moment::Between, Moment::After];

/// One row of the office: what each side does with it, and when.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub id: i32,
    pub start: Start,
    pub desktop: Change,
    pub mobile: Change,
    pub later: Later,
    pub desktop_at: Moment,
    pub mobile_at: Moment,
}

/// Every cell at every place that is possible.
pub fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for start in STARTS {
        for desktop in CHANGES {
            for mobile in CHANGES {
                for later in LATER {
                    for desktop_at in MOMENTS {
                        for mobile_at in MOMENTS {
                            let id = 1 + i32::try_from(cells.len()).unwrap();
                            let cell =
                                Cell { id, start, desktop, mobile, later, desktop_at, mobile_at };
                            cells.extend(cell.is_possible().then_some(cell));
                        }
                    }
                }
            }
        }
    }
    cells
}

/// A row that is there can't be inserted, one that is not can only be inserted.
pub fn is_possible(start: Start, change: Change) -> bool {
    change == Change::Nothing || (start == Start::Absent) == (change == Change::Insert)
}

impl Change {
    /// Whether it makes a version.
    pub fn writes(self) -> bool {
        matches!(self, Change::Insert | Change::Update | Change::Unstamped)
    }
}

impl Cell {
    fn is_possible(&self) -> bool {
        let inserted_twice = self.desktop == Change::Insert && self.mobile == Change::Insert;
        is_possible(self.start, self.desktop)
            && is_possible(self.start, self.mobile)
            && !(inserted_twice && self.seen() != Seen::Neither)
    }

    /// Deletions don't travel, the desktop's edits of mobile rows don't either, and its edits without
    /// a stamp only once whole tables are compared.
    pub fn seen(&self) -> Seen {
        let travels = match self.start {
            Start::Mobiles => false,
            Start::Desktops | Start::Absent => {
                matches!(self.desktop, Change::Insert | Change::Update)
            }
        };
        let (desktop_at, mobile_at) = (self.desktop_at, self.mobile_at);
        if self.desktop == Change::Nothing || self.mobile == Change::Nothing {
            Seen::Neither
        } else if travels && desktop_at < Moment::After && mobile_at == Moment::After {
            Seen::ByMobile
        } else if self.mobile.writes() && mobile_at == Moment::Before && desktop_at > mobile_at {
            Seen::ByDesktop
        } else {
            Seen::Neither
        }
    }

    /// What the desktop and the cloud have in the end.
    pub fn outcome(&self) -> [Version; 2] {
        let (desktop, mobile) = (self.desktop, self.mobile);
        let own = |change: Change, version: Version| match change {
            Change::Nothing => Version::Start,
            Change::Delete => Version::None,
            Change::Insert | Change::Update | Change::Unstamped => version,
        };
        let (of_desktop, of_mobile) =
            (own(desktop, Version::Desktop), own(mobile, Version::Mobile));
        match self.start {
            Start::Absent => match (desktop, mobile) {
                (Change::Nothing, Change::Nothing) => [Version::None; 2],
                (Change::Nothing, _) => [Version::Mobile; 2],
                (_, Change::Nothing) => [Version::Desktop; 2],
                _ => [Version::Desktop, Version::Mobile],
            },
            // Nothing deletes at the other end.
            _ if mobile == Change::Delete => [of_desktop, Version::None],
            Start::Mobiles => [of_mobile; 2],
            Start::Desktops if desktop == Change::Delete => [Version::None, of_mobile],
            Start::Desktops => [self.winner(); 2],
        }
    }

    /// Of a row of the desktop's that both still have.
    fn winner(&self) -> Version {
        match (self.desktop, self.mobile, self.seen()) {
            (Change::Nothing, Change::Nothing, _) => Version::Start,
            (_, Change::Nothing, _) | (_, _, Seen::ByDesktop) => Version::Desktop,
            // Without a new stamp the desktop's version is as old as the row was.
            (Change::Nothing | Change::Unstamped, _, _) | (_, _, Seen::ByMobile) => Version::Mobile,
            _ if self.later == Later::Mobile => Version::Mobile,
            _ => Version::Desktop,
        }
    }

    /// Whether a version may be gone: who wrote over it had it before him.
    pub fn may_be_gone(&self, version: Version) -> bool {
        match self.seen() {
            Seen::ByMobile => version == Version::Desktop,
            Seen::ByDesktop => version == Version::Mobile,
            Seen::Neither => false,
        }
    }
}
