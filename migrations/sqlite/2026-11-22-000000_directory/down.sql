DROP TABLE developer_skills;
DROP TABLE developers;
DROP TABLE skills;
DROP TABLE companies;
