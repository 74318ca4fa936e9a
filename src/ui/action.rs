//! Everything a person can ask for: one table from which keymap, hints, help, palette and the README's key table come.

/// Where an action works. Its key must be unambiguous wherever two scopes meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    Everywhere,
    /// Every screen that is a list of records.
    Lists,
    Integrations,
    Customers,
    /// Choosing a Halo customer; all its letters are text.
    Picker,
    Fields,
    Plan,
    Jobs,
    /// One job and its log.
    Job,
    /// One row of a plan or a log, whole.
    Change,
    /// An integration's form.
    Settings,
    /// The settings of the program itself.
    Program,
    /// The planning workspace.
    Lifecycle,
    /// One company's report.
    Report,
    /// One entry of the planning workspace.
    Sheet,
}

impl Scope {
    pub const fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Lists => "Lists",
            Self::Integrations => "Integrations",
            Self::Customers => "Customers",
            Self::Picker => "Picking a Halo customer",
            Self::Fields => "Fields",
            Self::Plan => "Plan",
            Self::Jobs => "Jobs",
            Self::Job => "One job",
            Self::Change => "One row",
            Self::Settings => "Settings of an integration",
            Self::Program => "Settings of the program",
            Self::Lifecycle => "Lifecycle",
            Self::Report => "One report",
            Self::Sheet => "One entry of the workspace",
        }
    }

    pub const ALL: [Self; 15] = [
        Self::Everywhere,
        Self::Lists,
        Self::Integrations,
        Self::Customers,
        Self::Picker,
        Self::Fields,
        Self::Plan,
        Self::Jobs,
        Self::Job,
        Self::Change,
        Self::Settings,
        Self::Program,
        Self::Lifecycle,
        Self::Report,
        Self::Sheet,
    ];

    /// Whether the keys of [`Scope::Lists`] work here.
    pub const fn is_list(self) -> bool {
        matches!(
            self,
            Self::Lists
                | Self::Integrations
                | Self::Customers
                | Self::Fields
                | Self::Plan
                | Self::Jobs
                | Self::Job
                | Self::Change
                | Self::Lifecycle
                | Self::Report
        )
    }

    /// Whether an action of scope `self` works on a screen of scope `screen`.
    pub fn reaches(self, screen: Self) -> bool {
        self == screen || self == Self::Everywhere || (self == Self::Lists && screen.is_list())
    }

    /// Whether one key could mean both.
    pub fn meets(self, other: Self) -> bool {
        self.reaches(other) || other.reaches(self)
    }
}

/// Whether an action is possible now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    Ready,
    /// Why not, as a sentence (U36).
    Not(String),
}

/// What is known about an action.
#[derive(Debug)]
pub struct Entry {
    pub action: Action,
    /// Its name in `keys.toml`.
    pub name: &'static str,
    pub scopes: &'static [Scope],
    /// One or two words for the hint line.
    pub hint: &'static str,
    pub title: &'static str,
    pub help: &'static str,
    /// The command that does the same without the screen; empty if only a screen needs it.
    pub shell: &'static str,
}

macro_rules! actions {
    ($($action:ident $name:literal [$($scope:ident)+] $hint:literal $title:literal $help:literal $shell:literal;)*) => {
        /// What a person can ask for. No data inside, so that it can be named in a file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action { $($action),* }

        /// Every action, in the order help shows them.
        pub const TABLE: &[Entry] = &[$(Entry {
            action: Action::$action,
            name: $name,
            scopes: &[$(Scope::$scope),+],
            hint: $hint,
            title: $title,
            help: $help,
            shell: $shell,
        }),*];
    };
}

// action, name in keys.toml, scopes, hint, title, help, command without the screen
actions! {
    SetUp "set_up" [Integrations] "set up" "Set up this connection"
        "Opens its form: address, account, secret, options, schedule." "parhelion config import FILE";
    Test "test" [Integrations Settings Lifecycle] "test" "Test the connection"
        "Signs in and checks each right by itself. Works on values that are not saved, and never writes." "parhelion test NAME";
    FixLayouts "fix_layouts" [Integrations] "layouts" "Bring Hudu's layouts into shape"
        "Shows which asset layouts are missing, inactive or incomplete, and creates, activates or completes them." "parhelion layouts hudu --fix ENTITY";
    OnOff "on_off" [Integrations Jobs] "on/off" "Switch the integration on or off"
        "An integration that is off can never run. On the Schedule tab: its schedule." "parhelion config set NAME.enabled false";
    FollowToDo "follow_to_do" [Integrations] "to do" "Go to what is to do"
        "Goes where the selected integration's first open point is settled." "";

    Accept "accept" [Customers] "accept" "Accept and go to the next"
        "Maps to the suggestion shown and goes on; opens the picker where nothing is near enough, or two are equally near. Of marked rows it takes all suggestions, after a question." "parhelion map set also ID HALO_ID";
    Card "card" [Customers] "card" "Show this customer in every system"
        "What each system knows of it, what hangs on it, what waits, and where it is missing." "";
    ChooseSite "choose_site" [Customers] "site" "Choose the partner's site"
        "For several customers that are branches of one: its address and its new assets go to that site." "parhelion map site also ID SITE_ID";
    NextCandidate "next_candidate" [Customers] "next match" "Show the next candidate"
        "Enter then takes the one that is shown." "parhelion map suggest also";
    PreviousCandidate "previous_candidate" [Customers] "match" "Show the previous candidate" "" "parhelion map suggest also";
    RejectPair "reject_pair" [Customers] "not this" "Never this pair"
        "The candidate shown is not suggested again, unless a name, domain or VAT number of either changes." "parhelion map reject also ID HALO_ID";
    AcceptAll "accept_all" [Customers] "all exact" "Accept all exact names"
        "Maps every customer whose exact name exists once on either side, and nothing else. One u takes all back." "parhelion map generate also";
    Pick "pick" [Customers Plan] "pick" "Pick the Halo customer by hand"
        "Type a few letters; Enter maps and goes on." "parhelion map set also ID HALO_ID";
    ReallyNew "really_new" [Customers Plan] "new" "Really new: create it in Halo"
        "The next plan creates it, whatever looks like it." "parhelion map new also ID";
    Exclude "exclude" [Customers] "exclude" "Leave this customer alone"
        "No import touches it. Enter on an excluded row adds a note and an end date." "parhelion map exclude also ID";
    RemoveMapping "remove_mapping" [Customers] "unmap" "Back to undecided"
        "Takes the mapping or decision away. Nothing is deleted anywhere." "parhelion map clear also ID";
    Repeat "repeat" [Customers] "repeat" "Repeat the last decision on this row" "" "";
    NextUndecided "next_undecided" [Customers] "next open" "Go to the next undecided row" "" "";
    PreviousUndecided "previous_undecided" [Customers] "previous open" "Go to the previous undecided row" "" "";
    ImportMappings "import_mappings" [Customers] "import" "Read mappings from a CSV file"
        "Shows what would change; it is taken or left as one step." "parhelion map import also FILE";
    PushThere "push_there" [Customers] "push" "Choose Halo's customers for Liongard"
        "Asks for the flag of each; the next plan of the push sets it and makes the environment." "parhelion map flag liongard HALO_ID";
    PlanIt "plan" [Customers Integrations Lifecycle Fields] "plan" "Plan the import"
        "Reads both sides and shows what would change. Nothing is written." "parhelion plan also";
    PlanOne "plan_one" [Customers] "this one" "Plan this customer only"
        "A plan of one customer and its records. Nothing else is read in full, and nothing else is touched." "parhelion plan also --customer ID";
    NextIntegration "next_integration" [Customers Fields] "next integration" "Next integration" "" "";
    PreviousIntegration "previous_integration" [Customers Fields] "integration" "Previous integration" "" "";

    EditRule "edit_rule" [Fields] "edit" "Edit the row or its setting"
        "Opens the chooser of both sides, with samples of real records. A rule leads to its setting; rows that the vendor fixes have none." "parhelion fields set liongard SOURCE TARGET";
    AddField "add_field" [Fields] "add" "Add a row"
        "Choose a field on both sides; what does not fit is shown before it is saved." "parhelion fields set liongard SOURCE TARGET";
    PickField "pick_field" [Fields] "pick" "Pick Halo's field for this row" "" "parhelion fields set liongard SOURCE TARGET";
    CreateField "create_field" [Fields] "create" "Create the field in Halo"
        "The next import makes it, of the kind that the values have." "parhelion fields set liongard SOURCE TARGET --create";
    EqualNames "equal_names" [Fields] "all equal" "Map all fields of equal names"
        "Only where every value fits and nothing feeds the field yet." "";
    FillBlank "fill_blank" [Fields] "blank only" "Write only where Halo has nothing, or always" "" "parhelion fields set liongard SOURCE TARGET --fill-blank";
    RemoveField "remove_field" [Fields] "remove" "Remove the row"
        "What Halo holds in the field stays." "parhelion fields unset liongard TARGET";
    IgnoreField "ignore_field" [Fields] "ignore" "Ignore the field, or offer it again"
        "It is listed last and never mapped by equal names." "parhelion config set liongard.ignored_fields NAMES";
    MoveFieldUp "move_field_up" [Fields] "move up" "Move the row up" "" "parhelion fields move liongard TARGET PLACE";
    MoveFieldDown "move_field_down" [Fields] "move" "Move the row down" "" "parhelion fields move liongard TARGET PLACE";
    TryFields "try_fields" [Fields] "test" "Test on one record"
        "Shows field by field what an import would write of it. Reads only." "parhelion fields test liongard RECORD";
    CopyFields "copy_fields" [Fields] "copy from" "Copy the rows of another integration"
        "The asset fields that the planning workspace reads. One u takes them back." "parhelion fields copy liongard lifecycle";
    ImportFields "import_fields" [Fields] "import" "Read the rows from a CSV file"
        "Shows what would change; it is taken or left as one step." "parhelion fields import liongard FILE";

    OpenRow "open_row" [Plan] "open" "Open or fold; take the look-alike"
        "On a customer folds its rows; on a look-alike takes the best candidate; on another row shows it whole." "";
    Fold "fold" [Plan] "fold" "Fold the customer's rows" "" "";
    Unfold "unfold" [Plan] "unfold" "Unfold the customer's rows" "" "";
    FoldAll "fold_all" [Plan] "fold all" "Fold or unfold all customers" "" "";
    ApplyPlan "apply" [Plan] "apply" "Apply this plan"
        "Asks first, and names the profile, the writes and what will not happen." "parhelion apply P7";
    LeaveOut "leave_out" [Plan] "leave out" "Leave this row out"
        "The row, or the marked rows, are not applied this time; the totals follow. A look-alike is excluded." "";
    OneFirst "one_first" [Plan] "one customer" "Apply one customer first"
        "Only the rows of the customer under the cursor. Asks first." "parhelion apply P7 --customer ID";
    OtherWay "other_way" [Plan] "by hand/scheduled" "Plan by hand, or as the scheduled job would"
        "Only a scheduled plan removes anything: seats to zero, or inactive." "parhelion plan also --scheduled";
    BuildAgain "build_again" [Plan] "read again" "Read both sides and plan again" "" "parhelion plan also";
    DiscardPlan "discard" [Plan] "discard" "Discard this plan" "Nothing was written, nothing is lost." "";

    OpenEntry "open_entry" [Lifecycle] "open" "Open the report, or edit the entry"
        "A company's open draft, or a new one; an entry of the other lists as a form." "parhelion lifecycle report COMPANY";
    NewEntry "new_entry" [Lifecycle] "new" "Add an entry to this list"
        "A company, type or status by its name; a grade rule, class, policy or template as a form." "parhelion lifecycle classes set TYPE NAME";
    RemoveEntry "remove_entry" [Lifecycle] "remove" "Remove the entry, or throw the draft away"
        "Asks first. A template goes to another one; what is in use says so." "parhelion lifecycle classes remove TYPE NAME";
    Manage "manage" [Lifecycle] "manage/not" "Manage the company, or no longer"
        "The company, or the marked ones. Configurations of managed companies come in." "parhelion lifecycle companies manage COMPANY";
    EditCompany "edit_company" [Lifecycle] "company" "Budget year and notes of the company" "" "parhelion lifecycle companies year COMPANY MONTH";
    CreateUnmapped "create_unmapped" [Lifecycle] "create unmapped" "Map exact names and create the rest"
        "Of company types or statuses. Shows the list first; a second time there is nothing to do." "parhelion lifecycle types create-unmapped";
    MoveUp "move_up" [Lifecycle Sheet] "up" "Move the rule, class or column up" "Order counts: the first that fits." "parhelion lifecycle classes move TYPE NAME 1";
    MoveDown "move_down" [Lifecycle Sheet] "down" "Move the rule, class or column down" "" "parhelion lifecycle classes move TYPE NAME 2";
    OurGrades "our_grades" [Lifecycle] "our rules" "Our default grade rules again" "Asks first." "parhelion lifecycle grades reset";
    EditAssets "edit_assets" [Report] "edit" "Class, template, budget and dates by hand"
        "Of the row, or of all marked rows at once. Only in a draft." "parhelion lifecycle configurations class --name NAME ID";
    CompleteReport "complete_report" [Report Lifecycle] "complete" "Complete the report"
        "Freezes its values for good. Asks first." "parhelion lifecycle complete R1";
    OtherView "other_view" [Report] "build/display" "Show the build view or the display view"
        "Each view of a template leaves out other types and statuses." "parhelion lifecycle report COMPANY --build";

    OpenJob "open_job" [Jobs] "open" "Open the job" "Its stages and its whole log." "parhelion job show J1";
    OpenLine "open_line" [Job] "open" "Show the change behind this line" "Fields before and after, and the reasons." "";
    Resume "resume" [Jobs Job] "resume/retry" "Go on with a job, or retry what failed"
        "An interrupted job writes what is left of its plan, nothing twice. Of one that is over, the failed and held rows are planned again. On an issue: its records." "parhelion job retry J1";
    RunNow "run_now" [Jobs] "run now" "Run the scheduled job now"
        "Asks first. As the schedule would, removals included." "parhelion schedule run also";
    Pause "pause" [Jobs Job] "pause" "Pause the running job, or go on" "No new record starts; those in hand finish." "";
    CancelJob "cancel" [Jobs Job] "cancel" "Cancel the job"
        "Asks first. What is done stays done." "parhelion job cancel J1";
    PutAside "put_aside" [Jobs] "put aside" "Put the issue aside, or take it up again"
        "Asks for how long. It comes back when its cause changes." "";
    NextHit "next_hit" [Job] "next hit" "Next line with the searched words" "" "";
    PreviousHit "previous_hit" [Job] "hit" "Previous line with the searched words" "" "";

    Mark "mark" [Customers Plan Lifecycle Report] "mark" "Mark and go down" "What is done next is done to all marked rows." "";
    MarkTo "mark_to" [Customers Plan Lifecycle Report] "mark from..to" "Mark from here to there" "Press it at both ends." "";
    MarkAll "mark_all" [Customers Plan Lifecycle Report] "mark all" "Mark all rows shown, or none" "" "";
    Export "export" [Customers Job Report Fields] "export" "Export to a file"
        "A path is asked; Enter takes the one that is proposed." "parhelion map export also";

    Edit "edit" [Settings Program Sheet] "edit" "Edit the field"
        "All printable keys are text then; Enter accepts and checks, Esc gives the old value back." "parhelion config set KEY VALUE";
    Save "save" [Settings Sheet] "save" "Save the changes"
        "Saves all or nothing, and says what was cleaned." "parhelion config import FILE";
    NextTab "next_tab" [Settings Jobs Lifecycle Sheet] "tabs" "Next tab" "" "";
    PreviousTab "previous_tab" [Settings Jobs Lifecycle Sheet] "tabs" "Previous tab" "" "";
    Reset "reset" [Settings Program] "default" "Back to the default" "Gives the field its default value." "";

    Undo "undo" [Integrations Settings Program Customers Fields Plan Jobs Job Lifecycle Report Sheet] "undo" "Undo the last change, or the job"
        "Takes back the last change made here. Of a job it builds a plan: fields as they were, what it created inactive." "parhelion job undo J1";

    Redo "redo" [Customers Fields Plan Lifecycle Report] "redo" "Bring the last change taken back again" "" "";

    Up "up" [Lists Settings Program Sheet] "up" "Row up" "" "";
    Down "down" [Lists Settings Program Sheet] "down" "Row down" "" "";
    HalfPageUp "half_page_up" [Lists Settings Program Sheet] "half page" "Half a page up" "" "";
    HalfPageDown "half_page_down" [Lists Settings Program Sheet] "half page" "Half a page down" "" "";
    PageUp "page_up" [Lists Settings Program Sheet] "page" "Page up" "" "";
    PageDown "page_down" [Lists Settings Program Sheet] "page" "Page down" "" "";
    First "first" [Lists Settings Program Sheet] "first" "First row" "" "";
    Last "last" [Lists Settings Program Sheet] "last" "Last row" "" "";
    DetailsDown "details_down" [Lists] "details" "Scroll the details down" "" "";
    DetailsUp "details_up" [Lists] "details" "Scroll the details up" "" "";
    Filter "filter" [Lists] "filter" "Filter as you type"
        "Words in any order. Enter keeps the filter, Esc drops it." "";
    FilterState "filter_state" [Lists] "states" "Filter by state"
        "A letter chooses the state; the letters are shown. The same key twice shows all." "";
    Order "order" [Lists] "order" "Change the order"
        "A letter chooses the order; the letters are shown." "";
    Copy "copy" [Lists] "copy" "Copy to the clipboard"
        "A letter chooses what: the id, the name, the row, the error." "";
    Why "why" [Lists] "why" "Why is this row as it is"
        "The rules that led to the selected row." "";

    Help "help" [Everywhere] "help" "Help for this screen"
        "Keys, signs, the screen's rules in words. Type to search it." "parhelion --help";
    Palette "palette" [Everywhere] "all" "Every action and place by name"
        "Type a few letters; Enter does it. Also takes theme, messages, q and the names of places." "";
    Integrations "integrations" [Everywhere] "integrations" "Go to: Integrations" "" "";
    Customers "customers" [Everywhere] "customers" "Go to: Customers" "" "";
    Fields "fields" [Everywhere] "fields" "Go to: Fields" "" "";
    Jobs "jobs" [Everywhere] "jobs" "Go to: Jobs" "" "";
    Lifecycle "lifecycle" [Everywhere] "lifecycle" "Go to: Lifecycle" "" "";
    Overview "overview" [Everywhere] "overview" "Go to: Overview"
        "All panes at once, where the terminal has 120x32." "";
    Zoom "zoom" [Everywhere] "zoom" "Zoom the pane, or show all panes" "" "";
    NextPane "next_pane" [Everywhere] "next pane" "Next pane" "" "";
    PreviousPane "previous_pane" [Everywhere] "pane" "Previous pane" "" "";
    Back "back" [Everywhere] "back" "Back, one layer at a time"
        "Takes off typing, then a dialog, then marks, then the filter, then the view. Never leaves the program." "";
    Leave "leave" [Everywhere] "leave" "Leave the view, or the program"
        "With a job running it asks first; the next start offers to go on." "";
    Refresh "refresh" [Everywhere] "read again" "Read this screen's data again" "" "";
    Repaint "repaint" [Everywhere] "redraw" "Draw everything again" "" "";
    Suspend "suspend" [Everywhere] "suspend" "Suspend the program" "" "";
    Messages "messages" [Everywhere] "messages" "What was said earlier" "" "";
    ProgramSettings "program_settings" [Everywhere] "settings" "Settings of the program"
        "Theme, signs, mouse, frames a second." "";
}

impl Action {
    pub fn entry(self) -> &'static Entry {
        // The table holds every action: the macro makes both.
        TABLE.iter().find(|entry| entry.action == self).unwrap_or(&TABLE[0])
    }

    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.name == name).map(|entry| entry.action)
    }

    /// Actions that take one more letter, which the screen offers (`f`, `o`, `y`).
    pub const fn takes_letter(self) -> bool {
        matches!(self, Self::FilterState | Self::Order | Self::Copy)
    }

    /// Actions after which printable keys are text.
    pub const fn opens_text(self) -> bool {
        matches!(
            self,
            Self::Filter
                | Self::Palette
                | Self::Help
                | Self::Edit
                | Self::Pick
                | Self::Export
                | Self::NewEntry
                | Self::ImportMappings
                | Self::EditRule
                | Self::AddField
                | Self::PickField
                | Self::TryFields
                | Self::ImportFields
        )
    }
}
