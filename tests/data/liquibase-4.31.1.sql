-- The table as made by Liquibase 4.31.1, `liquibase:update` of two, of a third that failed and was let pass, of a fourth again, on PostgreSQL 15 (pg_dump --inserts, without its settings).
CREATE TABLE public.databasechangelog (
    id character varying(255) NOT NULL,
    author character varying(255) NOT NULL,
    filename character varying(255) NOT NULL,
    dateexecuted timestamp without time zone NOT NULL,
    orderexecuted integer NOT NULL,
    exectype character varying(10) NOT NULL,
    md5sum character varying(35),
    description character varying(255),
    comments character varying(255),
    tag character varying(255),
    liquibase character varying(20),
    contexts character varying(255),
    labels character varying(255),
    deployment_id character varying(10)
);
CREATE TABLE public.databasechangeloglock (
    id integer NOT NULL,
    locked boolean NOT NULL,
    lockgranted timestamp without time zone,
    lockedby character varying(255)
);
INSERT INTO public.databasechangelog VALUES ('1', 'ann', 'changelog.sql', '2026-11-30 08:48:41.640856', 1, 'EXECUTED', '9:d580ec88ca10b4749876847f736ffc25', 'sql', '', NULL, '4.31.1', NULL, NULL, '6028519256');
INSERT INTO public.databasechangelog VALUES ('2', 'ann', 'changelog.sql', '2026-11-30 08:48:41.655525', 2, 'EXECUTED', '9:bef55a59d5c790c5aeb810169299456f', 'sql', '', NULL, '4.31.1', NULL, NULL, '6028519256');
INSERT INTO public.databasechangelog VALUES ('4', 'bob', 'changelog.sql', '2026-11-30 08:49:19.783813', 4, 'RERAN', '9:c361845f7f8995d74e920a72e8eb7cef', 'sql', '', NULL, '4.31.1', NULL, NULL, '6028557902');
INSERT INTO public.databasechangeloglock VALUES (1, false, NULL, NULL);
ALTER TABLE ONLY public.databasechangeloglock
    ADD CONSTRAINT databasechangeloglock_pkey PRIMARY KEY (id);
