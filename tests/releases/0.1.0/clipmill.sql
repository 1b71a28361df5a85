BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE clips (
	id VARCHAR(255) NOT NULL, 
	compilation_id VARCHAR(255) NOT NULL, 
	generation BIGINT NOT NULL, 
	position BIGINT NOT NULL, 
	part BIGINT, 
	name VARCHAR(255) NOT NULL, 
	title VARCHAR(255), 
	url VARCHAR(2000), 
	clip_key VARCHAR(2100), 
	state VARCHAR(255) NOT NULL, 
	media_id VARCHAR(255), 
	thumbnail_id VARCHAR(255), 
	reason VARCHAR(255), 
	message TEXT, 
	reused BOOLEAN NOT NULL, 
	CONSTRAINT pk_clips PRIMARY KEY (id), 
	CONSTRAINT fk_clips_revision FOREIGN KEY(compilation_id, generation) REFERENCES revisions (compilation_id, generation), 
	CONSTRAINT fk_clips_media_id FOREIGN KEY(media_id) REFERENCES media (id), 
	CONSTRAINT uq_clips_compilation_id_generation_position UNIQUE (compilation_id, generation, position)
);
INSERT INTO "clips" VALUES('k-6f2d8ca3c926f442','c-c314f96d44213fd2',1,0,NULL,'a',NULL,NULL,NULL,'Ready','m-824c71faa303c681',NULL,NULL,NULL,0);
INSERT INTO "clips" VALUES('k-1e54747df94abbf4','c-c314f96d44213fd2',1,1,NULL,'b',NULL,NULL,NULL,'Ready','m-6fa3598fa37b5c83',NULL,NULL,NULL,0);
CREATE TABLE compilations (
	id VARCHAR(255) NOT NULL, 
	uid VARCHAR(255) NOT NULL, 
	owner VARCHAR(63) NOT NULL, 
	namespace VARCHAR(255) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	generation BIGINT NOT NULL, 
	resource_generation BIGINT NOT NULL, 
	outbox VARCHAR(255), 
	created_at VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_compilations PRIMARY KEY (id), 
	CONSTRAINT fk_compilations_owner FOREIGN KEY(owner) REFERENCES users (name), 
	CONSTRAINT uq_compilations_uid UNIQUE (uid)
);
INSERT INTO "compilations" VALUES('c-c314f96d44213fd2','local-default.friday','local','default','friday',1,1,NULL,'2026-11-27T07:01:33.928763Z');
CREATE TABLE fetch_locks (
	owner VARCHAR(255) NOT NULL, 
	clip_key VARCHAR(2100) NOT NULL, 
	clip_id VARCHAR(255) NOT NULL, 
	until VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_fetch_locks PRIMARY KEY (owner, clip_key)
);
CREATE TABLE idempotency (
	principal VARCHAR(255) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	request_sha256 VARCHAR(255) NOT NULL, 
	compilation_id VARCHAR(255) NOT NULL, 
	created_at VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_idempotency PRIMARY KEY (principal, "key")
);
CREATE TABLE jobs (
	id VARCHAR(255) NOT NULL, 
	external_id VARCHAR(255) NOT NULL, 
	job_type VARCHAR(255) NOT NULL, 
	compilation_id VARCHAR(255) NOT NULL, 
	owner VARCHAR(255) NOT NULL, 
	status VARCHAR(255) NOT NULL, 
	progress BIGINT NOT NULL, 
	result_data JSON NOT NULL, 
	error_message TEXT, 
	version BIGINT NOT NULL, 
	started_at VARCHAR(255) NOT NULL, 
	completed_at VARCHAR(255), 
	CONSTRAINT pk_jobs PRIMARY KEY (id), 
	CONSTRAINT uq_jobs_compilation_id_external_id UNIQUE (compilation_id, external_id)
);
CREATE TABLE keys (
	id VARCHAR(255) NOT NULL, 
	secret_sha256 VARCHAR(255) NOT NULL, 
	role VARCHAR(255) NOT NULL, 
	owner VARCHAR(63), 
	compilation_id VARCHAR(255), 
	generation BIGINT, 
	stage VARCHAR(255), 
	expires_at VARCHAR(255), 
	revoked_at VARCHAR(255), 
	CONSTRAINT pk_keys PRIMARY KEY (id), 
	CONSTRAINT fk_keys_owner FOREIGN KEY(owner) REFERENCES users (name), 
	CONSTRAINT uq_keys_secret_sha256 UNIQUE (secret_sha256)
);
INSERT INTO "keys" VALUES('s-bbb3dd23fc084093','2cfb258a860be4fcc72e884c2bdd7522cef14e4cae5c57d0e4a1eab6087f7451','user','local',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "keys" VALUES('s-a07af722fb1dfa8d','8b5ddb502bcf9a84ae7865840cb0835af7bf488040a40d403165ba2525421632','job','local','c-c314f96d44213fd2',1,'assemble',NULL,NULL);
CREATE TABLE log_lines (
	id INTEGER NOT NULL, 
	compilation_id VARCHAR(255) NOT NULL, 
	generation BIGINT NOT NULL, 
	at VARCHAR(255) NOT NULL, 
	line TEXT NOT NULL, 
	CONSTRAINT pk_log_lines PRIMARY KEY (id)
);
CREATE TABLE media (
	id VARCHAR(255) NOT NULL, 
	owner VARCHAR(63) NOT NULL, 
	kind VARCHAR(255) NOT NULL, 
	filename VARCHAR(255) NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	sha256 VARCHAR(255) NOT NULL, 
	facts JSON, 
	clip_key VARCHAR(2100), 
	thumbnail_id VARCHAR(255), 
	compilation_id VARCHAR(255), 
	created_at VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_media PRIMARY KEY (id), 
	CONSTRAINT fk_media_owner FOREIGN KEY(owner) REFERENCES users (name), 
	CONSTRAINT uq_media_owner_clip_key UNIQUE (owner, clip_key)
);
INSERT INTO "media" VALUES('m-824c71faa303c681','local','clip','c1.mp4',81387,'0a70dfae437e6a9810217c40acedc0f4be780724a529c00704719c5fe59dd3fb','{"format": "mov", "duration_us": 2000000, "width": 320, "height": 180, "rate": "30/1", "frames": 60, "video_codec": "h264", "audio_codec": "aac", "loudness_lufs": -21.8, "true_peak_dbtp": -15.8, "title": null, "artist": null, "license": null}',NULL,NULL,NULL,'2026-11-27T07:01:33.570636Z');
INSERT INTO "media" VALUES('m-6fa3598fa37b5c83','local','clip','c2.mp4',81324,'e7693651998e1341cb20d9dc5b6a34a620bf5683b3b8dfb6e4a200dec145219d','{"format": "mov", "duration_us": 2000000, "width": 320, "height": 180, "rate": "30/1", "frames": 60, "video_codec": "h264", "audio_codec": "aac", "loudness_lufs": -21.7, "true_peak_dbtp": -20.6, "title": null, "artist": null, "license": null}',NULL,NULL,NULL,'2026-11-27T07:01:33.734252Z');
INSERT INTO "media" VALUES('m-ee41d3531d102058','local','intro','c3.mp4',81356,'311c7f75f33d829e36ad0973e7191ec4c80385c4559f5a2ac984d44c52ffd6d9','{"format": "mov", "duration_us": 2000000, "width": 320, "height": 180, "rate": "30/1", "frames": 60, "video_codec": "h264", "audio_codec": "aac", "loudness_lufs": -21.3, "true_peak_dbtp": -18.1, "title": null, "artist": null, "license": null}',NULL,NULL,NULL,'2026-11-27T07:01:33.879983Z');
INSERT INTO "media" VALUES('m-60e55a88e2423ec9','local','compilation','main.mp4',314141,'0f972afb1bc7ab192e84ced4935b72d285e69ffba18eccccdf25ee40b57ad56a','{"format": "mov", "duration_us": 4700000, "width": 320, "height": 180, "rate": "30/1", "frames": 141, "video_codec": "h264", "audio_codec": "aac", "loudness_lufs": null, "true_peak_dbtp": null, "title": null, "artist": null, "license": null}',NULL,NULL,'c-c314f96d44213fd2','2026-11-27T07:01:36.948747Z');
INSERT INTO "media" VALUES('m-c53739b7402cbabc','local','thumbnail','main.jpg',15608,'3bae9f2cd193b43fef72570e9627926820090fcf93b860e524738f066377c580','null',NULL,NULL,'c-c314f96d44213fd2','2026-11-27T07:01:37.069241Z');
INSERT INTO "media" VALUES('m-dd0308d85eba4a97','local','storyboard','main-storyboard.png',372977,'9f4d824cbf5f63dd4af204b42c10a5535130b7949d5825e1c438ab9836fa41c5','null',NULL,NULL,'c-c314f96d44213fd2','2026-11-27T07:01:37.074497Z');
INSERT INTO "media" VALUES('m-c14ef70fbd2df12d','local','storyboard_cues','main.vtt',1143,'29273834b3b36314fc8695081ee4f08cf8693ac5c76ba6a5a8c7e88f467ade59','null',NULL,NULL,'c-c314f96d44213fd2','2026-11-27T07:01:37.100869Z');
INSERT INTO "media" VALUES('m-1bec2986cd943bd1','local','chapters','main-chapters.txt',25,'014fb3e32a0684dc7e5015f51f3d7f3bec41bc9825e4c3a0368e327e27035d59','null',NULL,NULL,'c-c314f96d44213fd2','2026-11-27T07:01:37.107878Z');
INSERT INTO "media" VALUES('m-478f34519329b989','local','credits','main-credits.txt',18,'31372b140de634adb8c70dca462d10598b31bc4ad87436e9ed60b0ca0f899203','null',NULL,NULL,'c-c314f96d44213fd2','2026-11-27T07:01:37.127949Z');
INSERT INTO "media" VALUES('m-f84ae7036a456017','local','manifest','main-manifest.json',2537,'d16b6a1a24dd8d42882c35966fc7f6deed733e24d7613af409104c12a5ca459a','null',NULL,NULL,'c-c314f96d44213fd2','2026-11-27T07:01:37.152278Z');
CREATE TABLE parts (
	compilation_id VARCHAR(255) NOT NULL, 
	generation BIGINT NOT NULL, 
	stage VARCHAR(255) NOT NULL, 
	"index" BIGINT NOT NULL, 
	epoch BIGINT NOT NULL, 
	holder VARCHAR(255) NOT NULL, 
	lease_until VARCHAR(255) NOT NULL, 
	percent BIGINT NOT NULL, 
	done BOOLEAN NOT NULL, 
	CONSTRAINT pk_parts PRIMARY KEY (compilation_id, generation, stage, "index")
);
INSERT INTO "parts" VALUES('c-c314f96d44213fd2',1,'assemble',0,1,'vm-5990-695fd80e','2026-11-27T07:01:37.166043Z',0,1);
CREATE TABLE pieces (
	owner VARCHAR(63) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	sha256 VARCHAR(255) NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	created_at VARCHAR(255) NOT NULL, 
	used_at VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_pieces PRIMARY KEY (owner, "key"), 
	CONSTRAINT fk_pieces_owner FOREIGN KEY(owner) REFERENCES users (name)
);
INSERT INTO "pieces" VALUES('local','fecb4889c4c881b495d26e323aa2194b9bf1c0e34d0acc44f32eb0a831e4e5ae','8d8798b15bac4584be5ade64c974f383e69c2d783b821bb3c7121975f8ba4d3c',849066,'2026-11-27T07:01:36.083451Z','2026-11-27T07:01:36.083481Z');
INSERT INTO "pieces" VALUES('local','c077c165e2025fb469b44548621958a7c6ceabc9bb9d218f6f16edab9f6c44b1','4806e2aa2fcd1173ee9d6fb8bf567d2032b835344acb6db6a012b5884ae93758',300308,'2026-11-27T07:01:36.233254Z','2026-11-27T07:01:36.233493Z');
INSERT INTO "pieces" VALUES('local','fd347e46657f8f3a16538b4772a23824b86006b3f31d97bf0154455999a27ed3','7f251158de49e7c6beb0704a552d5cd72bab77a866f4a4f195727202e2024e11',136479,'2026-11-27T07:01:36.358672Z','2026-11-27T07:01:36.358737Z');
INSERT INTO "pieces" VALUES('local','7e2b4b99011d11522dc2ca1e6b8cbde90ddcb709ff504f52f5cb2700b9992c9b','d9190b21515a6a230e0f7e5677e1b23f4a3c2db1e140099041a83e79992435b0',722275,'2026-11-27T07:01:36.493007Z','2026-11-27T07:01:36.493046Z');
CREATE TABLE render_usage (
	compilation_id VARCHAR(255) NOT NULL, 
	generation BIGINT NOT NULL, 
	owner VARCHAR(255) NOT NULL, 
	seconds BIGINT NOT NULL, 
	created_at VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_render_usage PRIMARY KEY (compilation_id, generation)
);
INSERT INTO "render_usage" VALUES('c-c314f96d44213fd2',1,'local',5,'2026-11-27T07:01:37.178963Z');
CREATE TABLE render_windows (
	owner VARCHAR(63) NOT NULL, 
	month VARCHAR(7) NOT NULL, 
	used_s BIGINT NOT NULL, 
	reserved_s BIGINT NOT NULL, 
	CONSTRAINT pk_render_windows PRIMARY KEY (owner, month), 
	CONSTRAINT ck_render_windows_not_negative CHECK (used_s >= 0 AND reserved_s >= 0), 
	CONSTRAINT fk_render_windows_owner FOREIGN KEY(owner) REFERENCES users (name)
);
INSERT INTO "render_windows" VALUES('local','2026-11',5,0);
CREATE TABLE reservations (
	compilation_id VARCHAR(255) NOT NULL, 
	generation BIGINT NOT NULL, 
	owner VARCHAR(255) NOT NULL, 
	month VARCHAR(7) NOT NULL, 
	seconds BIGINT NOT NULL, 
	state VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_reservations PRIMARY KEY (compilation_id, generation), 
	CONSTRAINT ck_reservations_state_known CHECK (state IN ('open','settled','released'))
);
INSERT INTO "reservations" VALUES('c-c314f96d44213fd2',1,'local','2026-11',5,'settled');
CREATE TABLE result_media (
	compilation_id VARCHAR(255) NOT NULL, 
	generation BIGINT NOT NULL, 
	output VARCHAR(255) NOT NULL, 
	media_id VARCHAR(255) NOT NULL, 
	owner VARCHAR(255) NOT NULL, 
	kind VARCHAR(255) NOT NULL, 
	result_id VARCHAR(255) NOT NULL, 
	created_at VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_result_media PRIMARY KEY (compilation_id, generation, output, media_id), 
	CONSTRAINT fk_result_media_compilation_id FOREIGN KEY(compilation_id) REFERENCES compilations (id)
);
INSERT INTO "result_media" VALUES('c-c314f96d44213fd2',1,'main','m-ee41d3531d102058','local','intro','m-60e55a88e2423ec9','2026-11-27T07:01:37.170751Z');
INSERT INTO "result_media" VALUES('c-c314f96d44213fd2',1,'main','m-824c71faa303c681','local','clip','m-60e55a88e2423ec9','2026-11-27T07:01:37.170842Z');
INSERT INTO "result_media" VALUES('c-c314f96d44213fd2',1,'main','m-6fa3598fa37b5c83','local','clip','m-60e55a88e2423ec9','2026-11-27T07:01:37.170863Z');
CREATE TABLE revisions (
	compilation_id VARCHAR(255) NOT NULL, 
	generation BIGINT NOT NULL, 
	spec JSON NOT NULL, 
	terms JSON NOT NULL, 
	state VARCHAR(255) NOT NULL, 
	stage VARCHAR(255), 
	percent BIGINT NOT NULL, 
	pieces_reused BIGINT NOT NULL, 
	reason VARCHAR(255), 
	message TEXT, 
	outputs JSON NOT NULL, 
	created_at VARCHAR(255) NOT NULL, 
	completed_at VARCHAR(255), rendering_at VARCHAR(255), reached_at VARCHAR(255), 
	CONSTRAINT pk_revisions PRIMARY KEY (compilation_id, generation), 
	CONSTRAINT ck_revisions_state_known CHECK (state IN ('Pending','Fetching','Rendering','Succeeded','Failed','Cancelled','Superseded')), 
	CONSTRAINT fk_revisions_compilation_id FOREIGN KEY(compilation_id) REFERENCES compilations (id)
);
INSERT INTO "revisions" VALUES('c-c314f96d44213fd2',1,'{"title": "Friday", "onClipError": "Skip", "minimumClips": 1, "clips": [{"name": "a", "mediaId": "m-824c71faa303c681", "end": "1s", "overlays": []}, {"name": "b", "mediaId": "m-6fa3598fa37b5c83", "transition": {"type": "Fade", "duration": "300ms", "curve": "EqualPower"}, "overlays": []}], "intro": {"mediaId": "m-ee41d3531d102058"}, "audio": {"loudness": "-14LUFS", "truePeak": "-1dBTP"}, "creatorCard": {"show": true, "start": "3s", "duration": "7s", "fade": "300ms"}, "overlays": [], "quality": "Final", "preview": "Whole", "outputs": [{"name": "main", "preset": "custom", "width": 320, "height": 180, "rate": 30, "fit": "Contain", "zoom": 100, "align": "Center"}]}','{"tier": "Unlimited", "max_resolution": null, "max_fps": null, "encoder": "libx264", "watermark": null}','Succeeded',NULL,100,0,NULL,NULL,'[{"name": "main", "container": "mp4", "media_id": "m-60e55a88e2423ec9", "thumbnail_id": "m-c53739b7402cbabc", "storyboard_id": "m-dd0308d85eba4a97", "storyboard_cues_id": "m-c14ef70fbd2df12d", "chapters_id": "m-1bec2986cd943bd1", "credits_id": "m-478f34519329b989", "manifest_id": "m-f84ae7036a456017", "frames": 141, "duration_us": 4700000, "size_bytes": 314141, "sha256": "0f972afb1bc7ab192e84ced4935b72d285e69ffba18eccccdf25ee40b57ad56a", "loudness_lufs": -14.0, "pieces": {"total": 4, "reused": 0, "rendered": 4}, "spent_s": {"render": 0.812, "download": 0.0, "sound": 0.276, "join": 0.012, "extras": 0.261, "upload": 0.113}}]','2026-11-27T07:01:33.931518Z','2026-11-27T07:01:37.172437Z','2026-11-27T07:01:33.936734Z',NULL);
CREATE TABLE tiers (
	name VARCHAR(100) NOT NULL, 
	storage_limit_bytes BIGINT, 
	render_limit_s BIGINT, 
	apply_watermark BOOLEAN NOT NULL, 
	max_resolution VARCHAR(255), 
	max_fps BIGINT, 
	max_clips BIGINT, 
	CONSTRAINT pk_tiers PRIMARY KEY (name)
);
INSERT INTO "tiers" VALUES('Free',1073741824,1800,1,NULL,NULL,NULL);
INSERT INTO "tiers" VALUES('Pro',53687091200,21600,0,NULL,NULL,NULL);
INSERT INTO "tiers" VALUES('Unlimited',NULL,NULL,0,NULL,NULL,NULL);
CREATE TABLE uploads (
	id VARCHAR(255) NOT NULL, 
	owner VARCHAR(63) NOT NULL, 
	request JSON NOT NULL, 
	request_sha256 VARCHAR(255) NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	reserved_bytes BIGINT NOT NULL, 
	complete BOOLEAN NOT NULL, 
	media_id VARCHAR(255), 
	piece_key VARCHAR(255), 
	compilation_id VARCHAR(255), 
	created_at VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_uploads PRIMARY KEY (id), 
	CONSTRAINT fk_uploads_owner FOREIGN KEY(owner) REFERENCES users (name)
);
INSERT INTO "uploads" VALUES('u-91e0a478fa23b1be','local','{"purpose": "library", "kind": "clip", "filename": "c1.mp4", "size_bytes": 81387, "sha256": "0a70dfae437e6a9810217c40acedc0f4be780724a529c00704719c5fe59dd3fb", "clip_id": null, "piece_key": null, "output": null, "index": 0, "epoch": null}','c6b40891adbe82c5537b7713753b21ff853c43625105a00d28fca0ef94c13e71',81387,81387,1,'m-824c71faa303c681',NULL,NULL,'2026-11-27T07:01:33.401115Z');
INSERT INTO "uploads" VALUES('u-e3aeb26eefc0f815','local','{"purpose": "library", "kind": "clip", "filename": "c2.mp4", "size_bytes": 81324, "sha256": "e7693651998e1341cb20d9dc5b6a34a620bf5683b3b8dfb6e4a200dec145219d", "clip_id": null, "piece_key": null, "output": null, "index": 0, "epoch": null}','358c2ffe005b87b18ea8db84aee2a2eb07b456ac974535035c3cc9686ad2c84f',81324,81324,1,'m-6fa3598fa37b5c83',NULL,NULL,'2026-11-27T07:01:33.585525Z');
INSERT INTO "uploads" VALUES('u-399c59d2bbd650c3','local','{"purpose": "library", "kind": "intro", "filename": "c3.mp4", "size_bytes": 81356, "sha256": "311c7f75f33d829e36ad0973e7191ec4c80385c4559f5a2ac984d44c52ffd6d9", "clip_id": null, "piece_key": null, "output": null, "index": 0, "epoch": null}','7eb0af1eeed5faa60ef1374bfc07fc41ae658fd9ebcf31b3c177ad808a089eae',81356,81356,1,'m-ee41d3531d102058',NULL,NULL,'2026-11-27T07:01:33.744833Z');
INSERT INTO "uploads" VALUES('u-b164e1dae822737a','local','{"purpose": "piece", "kind": null, "filename": "fecb4889c4c881b495d26e323aa2194b9bf1c0e34d0acc44f32eb0a831e4e5ae.mov", "size_bytes": 849066, "sha256": "8d8798b15bac4584be5ade64c974f383e69c2d783b821bb3c7121975f8ba4d3c", "clip_id": null, "piece_key": "fecb4889c4c881b495d26e323aa2194b9bf1c0e34d0acc44f32eb0a831e4e5ae", "output": null, "index": 0, "epoch": 1}','977aeef067a3ff62e079a3da82f963f64f126ddc009c70c24ddf5078d440223a',849066,0,1,NULL,'fecb4889c4c881b495d26e323aa2194b9bf1c0e34d0acc44f32eb0a831e4e5ae','c-c314f96d44213fd2','2026-11-27T07:01:35.919222Z');
INSERT INTO "uploads" VALUES('u-65969cd9b88af9a3','local','{"purpose": "piece", "kind": null, "filename": "c077c165e2025fb469b44548621958a7c6ceabc9bb9d218f6f16edab9f6c44b1.mov", "size_bytes": 300308, "sha256": "4806e2aa2fcd1173ee9d6fb8bf567d2032b835344acb6db6a012b5884ae93758", "clip_id": null, "piece_key": "c077c165e2025fb469b44548621958a7c6ceabc9bb9d218f6f16edab9f6c44b1", "output": null, "index": 0, "epoch": 1}','afb465cf31d9bbe2bf3eea354e17480e4f3edce72e71d6b460b2961d3b3d1b47',300308,0,1,NULL,'c077c165e2025fb469b44548621958a7c6ceabc9bb9d218f6f16edab9f6c44b1','c-c314f96d44213fd2','2026-11-27T07:01:36.093667Z');
INSERT INTO "uploads" VALUES('u-ba73b9ba57977c0a','local','{"purpose": "piece", "kind": null, "filename": "fd347e46657f8f3a16538b4772a23824b86006b3f31d97bf0154455999a27ed3.mov", "size_bytes": 136479, "sha256": "7f251158de49e7c6beb0704a552d5cd72bab77a866f4a4f195727202e2024e11", "clip_id": null, "piece_key": "fd347e46657f8f3a16538b4772a23824b86006b3f31d97bf0154455999a27ed3", "output": null, "index": 0, "epoch": 1}','21487b0a01d5cbba15b635805d1fc28dec2df28ae00c983aa98ea00e8ba24136',136479,0,1,NULL,'fd347e46657f8f3a16538b4772a23824b86006b3f31d97bf0154455999a27ed3','c-c314f96d44213fd2','2026-11-27T07:01:36.248960Z');
INSERT INTO "uploads" VALUES('u-2dd4f385034bb14e','local','{"purpose": "piece", "kind": null, "filename": "7e2b4b99011d11522dc2ca1e6b8cbde90ddcb709ff504f52f5cb2700b9992c9b.mov", "size_bytes": 722275, "sha256": "d9190b21515a6a230e0f7e5677e1b23f4a3c2db1e140099041a83e79992435b0", "clip_id": null, "piece_key": "7e2b4b99011d11522dc2ca1e6b8cbde90ddcb709ff504f52f5cb2700b9992c9b", "output": null, "index": 0, "epoch": 1}','7ad0f007bd2fb7417f15333dc76130e3dcc5e2c83370db38136ea35f09cf3ed5',722275,0,1,NULL,'7e2b4b99011d11522dc2ca1e6b8cbde90ddcb709ff504f52f5cb2700b9992c9b','c-c314f96d44213fd2','2026-11-27T07:01:36.369292Z');
INSERT INTO "uploads" VALUES('u-3b9ba12e6fef6ccf','local','{"purpose": "output", "kind": "compilation", "filename": "main.mp4", "size_bytes": 314141, "sha256": "0f972afb1bc7ab192e84ced4935b72d285e69ffba18eccccdf25ee40b57ad56a", "clip_id": null, "piece_key": null, "output": "main", "index": 0, "epoch": 1}','f7e3c28b03665864387c0df2b8b05dfaf7a818bd9e05b8be915bdc073cd64088',314141,314141,1,'m-60e55a88e2423ec9',NULL,'c-c314f96d44213fd2','2026-11-27T07:01:36.797530Z');
INSERT INTO "uploads" VALUES('u-089c2e37204a563f','local','{"purpose": "output", "kind": "thumbnail", "filename": "main.jpg", "size_bytes": 15608, "sha256": "3bae9f2cd193b43fef72570e9627926820090fcf93b860e524738f066377c580", "clip_id": null, "piece_key": null, "output": "main", "index": 0, "epoch": 1}','e862a26bd5209e5806e19f0b47160656d28b68ad36d32d6f9adaed2dbec8c0a4',15608,15608,1,'m-c53739b7402cbabc',NULL,'c-c314f96d44213fd2','2026-11-27T07:01:37.057402Z');
INSERT INTO "uploads" VALUES('u-3a1b43ca62ed9726','local','{"purpose": "output", "kind": "storyboard", "filename": "main-storyboard.png", "size_bytes": 372977, "sha256": "9f4d824cbf5f63dd4af204b42c10a5535130b7949d5825e1c438ab9836fa41c5", "clip_id": null, "piece_key": null, "output": "main", "index": 0, "epoch": 1}','d576b063df6d4d0af0fb15a6da4787338937fcd53cfce8b20604201ab93dc59b',372977,372977,1,'m-dd0308d85eba4a97',NULL,'c-c314f96d44213fd2','2026-11-27T07:01:37.061535Z');
INSERT INTO "uploads" VALUES('u-4521a89ff2344cec','local','{"purpose": "output", "kind": "storyboard_cues", "filename": "main.vtt", "size_bytes": 1143, "sha256": "29273834b3b36314fc8695081ee4f08cf8693ac5c76ba6a5a8c7e88f467ade59", "clip_id": null, "piece_key": null, "output": "main", "index": 0, "epoch": 1}','45b792b9f4ef9932558497fd21643a294fc4a5293acdbe86e09f22bfd33e9df5',1143,1143,1,'m-c14ef70fbd2df12d',NULL,'c-c314f96d44213fd2','2026-11-27T07:01:37.086469Z');
INSERT INTO "uploads" VALUES('u-e22bda421e163b37','local','{"purpose": "output", "kind": "chapters", "filename": "main-chapters.txt", "size_bytes": 25, "sha256": "014fb3e32a0684dc7e5015f51f3d7f3bec41bc9825e4c3a0368e327e27035d59", "clip_id": null, "piece_key": null, "output": "main", "index": 0, "epoch": 1}','3f76b45ba2f7611c724ebe88ce2c84968141a6bcc7dc98949323fd5ff99de2be',25,25,1,'m-1bec2986cd943bd1',NULL,'c-c314f96d44213fd2','2026-11-27T07:01:37.095318Z');
INSERT INTO "uploads" VALUES('u-488d5a2e6b6a4e69','local','{"purpose": "output", "kind": "credits", "filename": "main-credits.txt", "size_bytes": 18, "sha256": "31372b140de634adb8c70dca462d10598b31bc4ad87436e9ed60b0ca0f899203", "clip_id": null, "piece_key": null, "output": "main", "index": 0, "epoch": 1}','7d1b05dc77a830cce5583f6b036eeb2c1254de4b8dc0bd6e7baa2c68b346093b',18,18,1,'m-478f34519329b989',NULL,'c-c314f96d44213fd2','2026-11-27T07:01:37.116818Z');
INSERT INTO "uploads" VALUES('u-076a7440a541da36','local','{"purpose": "output", "kind": "manifest", "filename": "main-manifest.json", "size_bytes": 2537, "sha256": "d16b6a1a24dd8d42882c35966fc7f6deed733e24d7613af409104c12a5ca459a", "clip_id": null, "piece_key": null, "output": "main", "index": 0, "epoch": 1}','2ca7f63d5573a90200d63217f817e65643c4062771577ae177ad11988a7dee7e',2537,2537,1,'m-f84ae7036a456017',NULL,'c-c314f96d44213fd2','2026-11-27T07:01:37.123789Z');
CREATE TABLE users (
	name VARCHAR(63) NOT NULL, 
	tier VARCHAR(100) NOT NULL, 
	storage_used_bytes BIGINT NOT NULL, 
	created_at VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (name), 
	CONSTRAINT ck_users_storage_not_negative CHECK (storage_used_bytes >= 0), 
	CONSTRAINT fk_users_tier FOREIGN KEY(tier) REFERENCES tiers (name)
);
INSERT INTO "users" VALUES('local','Unlimited',950516,'2026-11-27T07:01:33.354311Z');
CREATE INDEX ix_log_lines_compilation_id_generation_id ON log_lines (compilation_id, generation, id);
CREATE INDEX ix_compilations_owner_created_at ON compilations (owner, created_at);
CREATE INDEX ix_compilations_outbox ON compilations (outbox);
CREATE INDEX ix_keys_compilation_id_generation ON keys (compilation_id, generation);
CREATE INDEX ix_media_owner_kind_created_at ON media (owner, kind, created_at);
CREATE INDEX ix_media_owner_sha256 ON media (owner, sha256);
CREATE INDEX ix_pieces_owner_sha256 ON pieces (owner, sha256);
CREATE INDEX ix_pieces_used_at ON pieces (used_at);
CREATE INDEX ix_uploads_owner_request_sha256 ON uploads (owner, request_sha256);
CREATE INDEX ix_revisions_state ON revisions (state);
CREATE INDEX ix_result_media_owner_media_id_created_at ON result_media (owner, media_id, created_at);
COMMIT;