BEGIN TRANSACTION;
CREATE TABLE meta (
	"key" VARCHAR(64) NOT NULL, 
	value VARCHAR(64) NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema_version','2');
INSERT INTO "meta" VALUES('workflows_created','yes');
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
INSERT INTO "runs" VALUES('665f0c2b9a3e4d5f6a7b8c90','6b06b74837aa64951f0110ab',0,NULL,NULL,NULL,'completed',NULL,1,NULL,NULL,NULL,NULL,1782900000.0,1782900001.0);
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
INSERT INTO "turns" VALUES(1,'665f0c2b9a3e4d5f6a7b8c90',1,'completed',1782900000.0,1782900001.0,X'7B7D',NULL,X'5B7B2274797065223A22617373697374616E745F726573706F6E7365222C22636F6E74656E74223A225768696368207465613F227D5D');
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
INSERT INTO "versions" VALUES('6b06b74837aa64951f0110ab',0,'Initial Version',1.79560224828064394e+09,1.79560224828064394e+09,'{"name": "Tea"}');
CREATE TABLE workflows (
	id VARCHAR(24) NOT NULL, 
	name TEXT, 
	description TEXT, 
	active_version_number INTEGER NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "workflows" VALUES('6b06b74837aa64951f0110ab','Tea',NULL,0,1.79560224827599596e+09,1.79560224827599596e+09);
CREATE INDEX runs_by_time ON runs (created_at);
CREATE INDEX runs_by_workflow ON runs (workflow_id, created_at);
COMMIT;
