//! What each side may do with a row, when, and what has to come of it.

use tidegate::model::Direction;

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

/// Where a change falls: before, between and after two runs, such as the halves of a `sync`.
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

/// A run in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Half {
    pub direction: Direction,
    /// Whether it looks at whole tables.
    pub full: bool,
}

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
    pub seen: Seen,
    /// Whether the desktop's change of a mobile row is undone before the mobile side's.
    undone: bool,
}

/// Every cell at every place that is possible around the two runs.
pub fn cells(halves: [Half; 2]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for start in STARTS {
        for desktop in CHANGES {
            for mobile in CHANGES {
                for later in LATER {
                    for (desktop_at, mobile_at) in pairs() {
                        let id = 1 + i32::try_from(cells.len()).unwrap();
                        let (seen, undone) = (Seen::Neither, false);
                        let mut cell = Cell {
                            id,
                            start,
                            desktop,
                            mobile,
                            later,
                            desktop_at,
                            mobile_at,
                            seen,
                            undone,
                        };
                        cell.seen = cell.seen_around(halves);
                        cell.undone = cell.is_undone_within(halves);
                        cells.extend(cell.is_possible().then_some(cell));
                    }
                }
            }
        }
    }
    cells
}

fn pairs() -> impl Iterator<Item = (Moment, Moment)> {
    MOMENTS.into_iter().flat_map(|one| MOMENTS.map(|other| (one, other)))
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
            && !(inserted_twice && self.seen != Seen::Neither)
    }

    /// Whether both users change the row when the clock says so, the mobile user last at each
    /// moment, and with a stamp.
    pub fn is_in_order(&self) -> bool {
        let later = match self.desktop_at > self.mobile_at {
            true => Later::Desktop,
            false => Later::Mobile,
        };
        self.later == later && ![self.desktop, self.mobile].contains(&Change::Unstamped)
    }

    fn seen_around(&self, halves: [Half; 2]) -> Seen {
        let (desktop_at, mobile_at) = (self.desktop_at as usize, self.mobile_at as usize);
        let carried = |from: usize, to: usize, by: &dyn Fn(&Half) -> bool| {
            from < to && halves[from..to].iter().any(by)
        };
        if self.desktop == Change::Nothing || self.mobile == Change::Nothing {
            Seen::Neither
        } else if carried(desktop_at, mobile_at, &|half| self.takes_desktops(*half)) {
            Seen::ByMobile
        } else if carried(mobile_at, desktop_at, &|half| self.takes_mobiles(*half)) {
            Seen::ByDesktop
        } else {
            Seen::Neither
        }
    }

    /// Deletions don't travel, nor the desktop's edits of mobile rows; its edits without a stamp only
    /// when whole tables are compared.
    fn takes_desktops(&self, half: Half) -> bool {
        half.direction == Direction::Forward
            && self.start != Start::Mobiles
            && self.desktop.writes()
            && (self.desktop != Change::Unstamped || half.full)
    }

    /// Once forward has met the desktop's edit of a mobile row, reverse brings the mobile version back;
    /// so it does when it compares whole tables.
    fn is_undone_within(&self, halves: [Half; 2]) -> bool {
        let (from, to) = (self.desktop_at as usize, self.mobile_at as usize);
        let between = if from < to { &halves[from..to] } else { &[] };
        let is_reverse = |half: &Half| half.direction == Direction::Reverse;
        let meets = |half: Half| {
            !is_reverse(&half)
                && (self.desktop == Change::Update
                    || half.full && self.desktop == Change::Unstamped)
        };
        let met = between.iter().position(|half| meets(*half));
        self.start == Start::Mobiles
            && (between.iter().any(|half| is_reverse(half) && half.full)
                || met.is_some_and(|at| between[at..].iter().any(is_reverse)))
    }

    fn takes_mobiles(&self, half: Half) -> bool {
        half.direction == Direction::Reverse && self.mobile.writes()
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
            _ if mobile == Change::Delete && self.undone => [Version::Start, Version::None],
            _ if mobile == Change::Delete => [of_desktop, Version::None],
            Start::Mobiles => [of_mobile; 2],
            Start::Desktops if desktop == Change::Delete => [Version::None, of_mobile],
            Start::Desktops => [self.winner(); 2],
        }
    }

    /// Of a row of the desktop's that both still have.
    fn winner(&self) -> Version {
        match (self.desktop, self.mobile, self.seen) {
            (Change::Nothing, Change::Nothing, _) => Version::Start,
            (_, Change::Nothing, _) | (_, _, Seen::ByDesktop) => Version::Desktop,
            (Change::Nothing, _, _) | (_, _, Seen::ByMobile) => Version::Mobile,
            // Without a new stamp the desktop's version is as old as the row was.
            (Change::Unstamped, _, _) if self.later != Later::Desktop => Version::Mobile,
            _ if self.later == Later::Mobile => Version::Mobile,
            _ => Version::Desktop,
        }
    }

    /// Whether nothing shows the desktop's change before whole tables are compared.
    pub fn hides(&self) -> bool {
        let alone = self.mobile == Change::Nothing || self.seen == Seen::ByDesktop;
        self.desktop == Change::Unstamped && alone
    }

    /// Whether a version may be gone: who wrote over it had it before him.
    pub fn may_be_gone(&self, version: Version) -> bool {
        match self.seen {
            Seen::ByMobile => version == Version::Desktop,
            Seen::ByDesktop => version == Version::Mobile,
            Seen::Neither => false,
        }
    }
}
