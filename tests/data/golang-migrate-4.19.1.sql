-- The table as made by golang-migrate 4.19.1, `migrate up` of two, on PostgreSQL 15 (pg_dump --inserts, without its settings).
CREATE TABLE public.schema_migrations (
    version bigint NOT NULL,
    dirty boolean NOT NULL
);
INSERT INTO public.schema_migrations VALUES (20260101000002, false);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
