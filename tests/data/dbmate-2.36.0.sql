-- The table as made by dbmate 2.36.0, `dbmate up` of two, on PostgreSQL 15 (pg_dump --inserts, without its settings).
CREATE TABLE public.schema_migrations (
    version character varying NOT NULL
);
INSERT INTO public.schema_migrations VALUES ('20260101000001');
INSERT INTO public.schema_migrations VALUES ('20260101000002');
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
