BEGIN TRANSACTION;
CREATE TABLE comments (
	logical_id VARCHAR(64) NOT NULL,
	run_id VARCHAR(64) NOT NULL,
	target_kind VARCHAR(8) NOT NULL,
	target_key VARCHAR(128) NOT NULL,
	author TEXT NOT NULL,
	content TEXT NOT NULL,
	created_at DOUBLE NOT NULL,
	PRIMARY KEY (logical_id)
);
INSERT INTO "comments" VALUES('comment_abecca77984f4655aaf3c9fa38326b2e','6b0794af75563258f99e6688','run','','Ada','Fine.',1.79565892741164231e+09);
CREATE TABLE forks (
	run_id VARCHAR(64) NOT NULL,
	source_run_id VARCHAR(64) NOT NULL,
	turn_number INTEGER NOT NULL,
	way VARCHAR(16) NOT NULL,
	note TEXT NOT NULL,
	forked_by TEXT NOT NULL,
	created_at DOUBLE NOT NULL,
	fidelity BLOB,
	changes BLOB NOT NULL,
	PRIMARY KEY (run_id)
);
CREATE TABLE kits (
	run_id VARCHAR(64) NOT NULL,
	kit BLOB NOT NULL,
	PRIMARY KEY (run_id)
);
INSERT INTO "kits" VALUES('6b0794af75563258f99e6688',X'7B7D');
CREATE TABLE meta (
	"key" VARCHAR(64) NOT NULL,
	value VARCHAR(64) NOT NULL,
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema_version','2');
INSERT INTO "meta" VALUES('workflows_created','yes');
CREATE TABLE presets (
	workflow_id VARCHAR(64) NOT NULL,
	name TEXT NOT NULL,
	updated_at DOUBLE NOT NULL,
	run_input BLOB NOT NULL,
	PRIMARY KEY (workflow_id, name)
);
INSERT INTO "presets" VALUES('6b0794afd2e270424f0a009a','Known caller',1.79565892741920113e+09,X'7B7D');
CREATE TABLE ratings (
	run_id VARCHAR(64) NOT NULL,
	target_kind VARCHAR(8) NOT NULL,
	target_key VARCHAR(128) NOT NULL,
	author TEXT NOT NULL,
	value VARCHAR(16) NOT NULL,
	created_at DOUBLE NOT NULL,
	PRIMARY KEY (run_id, target_kind, target_key, author)
);
CREATE TABLE run_marks (
	run_id VARCHAR(64) NOT NULL,
	starred BOOLEAN NOT NULL,
	note TEXT NOT NULL,
	PRIMARY KEY (run_id)
);
INSERT INTO "run_marks" VALUES('6b0794af75563258f99e6688',1,'');
CREATE TABLE run_tags (
	run_id VARCHAR(64) NOT NULL,
	tag TEXT NOT NULL,
	PRIMARY KEY (run_id, tag)
);
INSERT INTO "run_tags" VALUES('6b0794af75563258f99e6688','smoke');
CREATE TABLE runs (
	id VARCHAR(24) NOT NULL,
	workflow_id VARCHAR(24) NOT NULL,
	version_number INTEGER NOT NULL,
	version_name TEXT,
	workflow_name TEXT,
	run_by TEXT,
	status VARCHAR(32) NOT NULL,
	termination_source TEXT,
	turn_count INTEGER NOT NULL,
	token_usage BLOB,
	latency_stats BLOB,
	source_workflow_run_id VARCHAR(24),
	checkpoint_source_turn_index INTEGER,
	created_at DOUBLE NOT NULL,
	updated_at DOUBLE NOT NULL,
	PRIMARY KEY (id)
)
 WITHOUT ROWID

;
INSERT INTO "runs" VALUES('6b0794af75563258f99e6688','6b0794afd2e270424f0a009a',0,NULL,NULL,NULL,'completed',NULL,1,NULL,NULL,NULL,NULL,1782900000.0,1782900001.0);
CREATE TABLE spoken (
	run_id VARCHAR(64) NOT NULL,
	turn_count INTEGER NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (run_id)
);
CREATE TABLE turns (
	id INTEGER NOT NULL,
	run_id VARCHAR(24) NOT NULL,
	turn_number INTEGER NOT NULL,
	status VARCHAR(32) NOT NULL,
	started_at DOUBLE NOT NULL,
	finished_at DOUBLE NOT NULL,
	checkpoint BLOB NOT NULL,
	pair BLOB,
	events BLOB NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (run_id, turn_number),
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "turns" VALUES(1,'6b0794af75563258f99e6688',1,'completed',1782900000.0,1782900001.0,X'7B7D',NULL,X'5B7B2274797065223A22617373697374616E745F726573706F6E7365222C22636F6E74656E74223A225768696368207465613F227D5D');
CREATE TABLE unfinished_turns (
	run_id VARCHAR(64) NOT NULL,
	workflow_id VARCHAR(64) NOT NULL,
	version_number INTEGER NOT NULL,
	began_at DOUBLE NOT NULL,
	input_json BLOB NOT NULL,
	events_json BLOB NOT NULL,
	PRIMARY KEY (run_id)
);
CREATE TABLE versions (
	workflow_id VARCHAR(24) NOT NULL,
	version_number INTEGER NOT NULL,
	version_name TEXT,
	created_at DOUBLE NOT NULL,
	updated_at DOUBLE NOT NULL,
	document TEXT NOT NULL,
	PRIMARY KEY (workflow_id, version_number),
	FOREIGN KEY(workflow_id) REFERENCES workflows (id) ON DELETE CASCADE
);
INSERT INTO "versions" VALUES('6b0794afd2e270424f0a009a',0,'Initial Version',1.7956589274032402e+09,1.7956589274032402e+09,'{"name": "Tea"}');
CREATE TABLE workflows (
	id VARCHAR(24) NOT NULL,
	name TEXT,
	description TEXT,
	active_version_number INTEGER NOT NULL,
	created_at DOUBLE NOT NULL,
	updated_at DOUBLE NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO "workflows" VALUES('6b0794afd2e270424f0a009a','Tea',NULL,0,1.79565892740180277e+09,1.79565892740180277e+09);
CREATE INDEX runs_by_time ON runs (created_at);
CREATE INDEX runs_by_workflow ON runs (workflow_id, created_at);
CREATE INDEX ix_forks_source_run_id ON forks (source_run_id);
CREATE INDEX run_tags_by_tag ON run_tags (tag);
CREATE INDEX comments_by_run ON comments (run_id, created_at);
COMMIT;
