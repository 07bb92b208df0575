"""The tables of the ledger: each migration brings an older file one version further."""

MIGRATIONS = (
    """
CREATE TABLE tasks (
    task_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,                      -- task | analysis
    created REAL NOT NULL,                   -- seconds since 1970, as all times here
    updated REAL NOT NULL,
    status TEXT NOT NULL,
    description TEXT NOT NULL,
    request TEXT NOT NULL,                   -- JSON of what was asked
    task_type TEXT NOT NULL DEFAULT '',
    complexity REAL NOT NULL DEFAULT 0,
    round INTEGER NOT NULL DEFAULT 1,        -- counts a person's 'retry'
    approved_paid INTEGER NOT NULL DEFAULT 0,
    guidance TEXT NOT NULL DEFAULT '',       -- what a person said with 'retry'
    owner TEXT NOT NULL DEFAULT '',          -- the process that works on it
    lease_until REAL NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT ''         -- JSON, as last told
);
CREATE INDEX tasks_by_status ON tasks (status, updated);
CREATE TABLE steps (                         -- memo of everything asked of the world
    task_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (task_id, key)
) WITHOUT ROWID;
CREATE TABLE attempts (
    task_id TEXT NOT NULL, number INTEGER NOT NULL, round INTEGER NOT NULL, at REAL NOT NULL,
    task_type TEXT NOT NULL, tier TEXT NOT NULL, model TEXT NOT NULL, approved INTEGER NOT NULL,
    trouble TEXT NOT NULL, tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL,
    cost_usd REAL NOT NULL, seconds REAL NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (task_id, number)
) WITHOUT ROWID;
CREATE TABLE money (                         -- reserved before a paid call, settled after it
    id INTEGER PRIMARY KEY, task_id TEXT NOT NULL, step TEXT NOT NULL, tier TEXT NOT NULL,
    day TEXT NOT NULL, at REAL NOT NULL, reserved_usd REAL NOT NULL, settled_usd REAL
);
CREATE INDEX money_by_day ON money (day);
CREATE INDEX money_by_task ON money (task_id);
CREATE TABLE decisions (                     -- who decided what, and why
    id INTEGER PRIMARY KEY, task_id TEXT NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX decisions_by_task ON decisions (task_id);
""",
    """
ALTER TABLE tasks ADD COLUMN domain TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN domain TEXT NOT NULL DEFAULT '';
CREATE TABLE audit (                         -- every decision about money; each row seals the one before it
    id INTEGER PRIMARY KEY, at REAL NOT NULL, task_id TEXT NOT NULL, kind TEXT NOT NULL,
    detail TEXT NOT NULL,                    -- JSON
    digest TEXT NOT NULL                     -- SHA-256 over the digest before and this row
);
CREATE TABLE completions (                   -- same model, parameters and prompt: same answer
    key TEXT PRIMARY KEY, value TEXT NOT NULL, bytes INTEGER NOT NULL, at REAL NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX completions_by_use ON completions (used, bytes);
CREATE TABLE learned (                       -- what routing believes, in decayed counts
    kind TEXT NOT NULL,                      -- worker | retry | gate | ...
    key TEXT NOT NULL,                       -- JSON list: model, task type, domain ...
    yes REAL NOT NULL, no REAL NOT NULL,
    seconds REAL NOT NULL, usd REAL NOT NULL,   -- sums over yes + no
    at REAL NOT NULL,                        -- when it was last decayed
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
""",
    """
ALTER TABLE tasks ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;  -- its texts were thrown away, being old
ALTER TABLE money ADD COLUMN task_type TEXT NOT NULL DEFAULT '';
CREATE TABLE audit_head (                    -- where `audit` ends, so that a cut is seen
    one INTEGER PRIMARY KEY CHECK (one = 1), rows INTEGER NOT NULL, digest TEXT NOT NULL,
    money_before INTEGER NOT NULL            -- rows of `money` up to here are older than the trail
);
INSERT INTO audit_head SELECT 1, 0, '', coalesce(max(id), 0) FROM money;
CREATE INDEX audit_caps ON audit (json_extract(detail, '$.scope'), id) WHERE kind = 'cap';
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
""",
)
"""SQL by version: the first makes version 1, the last the present one. What was released is never changed."""
