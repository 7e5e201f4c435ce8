-- The table as made by Prisma 6.19.3, `prisma migrate deploy` of two, of a third that failed, was resolved as rolled back, and deployed again, on PostgreSQL 15 (pg_dump --inserts, without its settings).
CREATE TABLE public._prisma_migrations (
    id character varying(36) NOT NULL,
    checksum character varying(64) NOT NULL,
    finished_at timestamp with time zone,
    migration_name character varying(255) NOT NULL,
    logs text,
    rolled_back_at timestamp with time zone,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    applied_steps_count integer DEFAULT 0 NOT NULL
);
INSERT INTO public._prisma_migrations VALUES ('6685783e-c17e-48f3-a54d-f60f668273f1', 'c0362acdf780ac9922de56e852248b1e45049be7d25bb1704ee8d37fd6174f05', '2026-11-30 08:51:13.212+00', '20260101000001_s1', NULL, NULL, '2026-11-30 08:51:13.207+00', 1);
INSERT INTO public._prisma_migrations VALUES ('f442acef-8faa-4e73-9ee6-4b7f82fe66ae', 'c16045d96c4d0d7f36887e1788de888f29d99def391090954a128012bd1c3b7e', '2026-11-30 08:51:13.224+00', '20260101000002_s2', NULL, NULL, '2026-11-30 08:51:13.215+00', 1);
INSERT INTO public._prisma_migrations VALUES ('ee38c5f2-64c3-4264-8f86-142102813f87', 'fb462e33a85e665ebc7199539927d96e3ad2c996316ebfd8048ad04c3126f0bc', NULL, '20260101000003_s3', 'external connector error
Error querying the database: ERROR: division by zero
   0: sql_schema_connector::apply_migration::apply_script
           with migration_name="20260101000003_s3"
             at schema-engine/connectors/sql-schema-connector/src/apply_migration.rs:113
   1: schema_commands::commands::apply_migrations::Applying migration
           with migration_name="20260101000003_s3"
             at schema-engine/commands/src/commands/apply_migrations.rs:95
   2: schema_engine_wasm::wasm::engine::ApplyMigrations
             at schema-engine/schema-engine-wasm/src/wasm/engine.rs:167', '2026-11-30 08:51:33.987+00', '2026-11-30 08:51:24.598+00', 0);
INSERT INTO public._prisma_migrations VALUES ('5c2cb01a-a046-426b-8ef1-b29cea4403fc', '385711ea90de8d28ee906e78af78e3337f95acb92ffd481036e69ff63bf07d93', '2026-11-30 08:51:45.628+00', '20260101000003_s3', NULL, NULL, '2026-11-30 08:51:45.623+00', 1);
ALTER TABLE ONLY public._prisma_migrations
    ADD CONSTRAINT _prisma_migrations_pkey PRIMARY KEY (id);
