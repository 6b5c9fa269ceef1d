DROP TABLE project_skills;
DROP TABLE projects;
