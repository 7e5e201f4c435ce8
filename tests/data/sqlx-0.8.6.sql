-- The table as made by sqlx-cli 0.8.6, `sqlx migrate run` of two, on PostgreSQL 15 (pg_dump --inserts, without its settings).
CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
INSERT INTO public._sqlx_migrations VALUES (20260101000001, 'first', '2026-11-24 10:55:11.231086+00', true, '\x267ece1ec0e36dde98eac5f33cf50c77bfa465893b8b1ca6820c1ab1876967aecf7c784d0b883a187e1efdb0d165427b', 525783);
INSERT INTO public._sqlx_migrations VALUES (20260101000002, 'second', '2026-11-24 10:55:11.231792+00', true, '\xe1d0c65ec0e930aaaaaa5b3b57afa5d6eb34cda5e538abfda1f94ad9297e6dd6596e1bb38fea67b24cfc31e5ce2f87b1', 1080426548);
ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);
