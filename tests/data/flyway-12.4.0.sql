-- The table as made by flyway-maven-plugin 12.4.0, `flyway:migrate` of V1, V2.1 and a repeatable one, on PostgreSQL 15 (pg_dump --inserts, without its settings).
CREATE TABLE public.flyway_schema_history (
    installed_rank integer NOT NULL,
    version character varying(50),
    description character varying(200) NOT NULL,
    type character varying(20) NOT NULL,
    script character varying(1000) NOT NULL,
    checksum integer,
    installed_by character varying(100) NOT NULL,
    installed_on timestamp without time zone DEFAULT now() NOT NULL,
    execution_time integer NOT NULL,
    success boolean NOT NULL
);
INSERT INTO public.flyway_schema_history VALUES (1, '1', 'first', 'SQL', 'V1__first.sql', -698626245, 'mig', '2026-11-24 10:55:09.478591', 3, true);
INSERT INTO public.flyway_schema_history VALUES (2, '2.1', 'second of two', 'SQL', 'V2.1__second_of_two.sql', -1694022106, 'mig', '2026-11-24 10:55:09.507815', 13, true);
INSERT INTO public.flyway_schema_history VALUES (3, NULL, 'view', 'SQL', 'R__view.sql', -374853322, 'mig', '2026-11-24 10:55:09.530949', 1, true);
ALTER TABLE ONLY public.flyway_schema_history
    ADD CONSTRAINT flyway_schema_history_pk PRIMARY KEY (installed_rank);
CREATE INDEX flyway_schema_history_s_idx ON public.flyway_schema_history USING btree (success);
