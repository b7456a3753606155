CREATE TABLE `organisations` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`slug` text NOT NULL,
	`settings` text DEFAULT '{"theme":"dark","locale":"en-GB","weekStartsOn":1,"mails":true,"beta":false}' NOT NULL,
	`createdAt` integer DEFAULT (unixepoch()) NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `organisations_slug_unique` ON `organisations` (`slug`);--> statement-breakpoint
CREATE TABLE `members` (
	`id` text PRIMARY KEY NOT NULL,
	`organisationId` text NOT NULL,
	`email` text NOT NULL,
	`role` text DEFAULT 'member' NOT NULL,
	`active` integer DEFAULT true NOT NULL,
	`joinedAt` text DEFAULT CURRENT_TIMESTAMP NOT NULL,
	FOREIGN KEY (`organisationId`) REFERENCES `organisations`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `members_organisation_email_unique` ON `members` (`organisationId`,`email`);--> statement-breakpoint
CREATE TABLE `tasks` (
	`id` text PRIMARY KEY NOT NULL,
	`memberId` text NOT NULL,
	`sprintId` text,
	`type` text,
	`title` text DEFAULT 'it''s new' NOT NULL,
	`estimate` real DEFAULT 0.5 NOT NULL,
	`rank` integer DEFAULT -1 NOT NULL,
	`doneAt` integer,
	`title_length` integer GENERATED ALWAYS AS (length(`title`)) VIRTUAL,
	FOREIGN KEY (`memberId`) REFERENCES `members`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`sprintId`) REFERENCES `sprints`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE INDEX `tasks_member_rank_idx` ON `tasks` (`memberId`,`rank`);--> statement-breakpoint
CREATE UNIQUE INDEX `tasks_open_title_unique` ON `tasks` (`memberId`,lower("title")) WHERE "type" = 'once' and "doneAt" is null;--> statement-breakpoint
CREATE TABLE `sprints` (
	`id` text PRIMARY KEY NOT NULL,
	`ends` text
);
--> statement-breakpoint
CREATE TABLE `audit` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`message` text NOT NULL
);
--> statement-breakpoint
CREATE TRIGGER `tasks_audit` AFTER DELETE ON `tasks` BEGIN
	INSERT INTO `audit`(`message`) VALUES ('task ' || OLD.`id` || ' is gone');
END;
