-- Pictures (equal bytes) that would be published under the names of two people.
-- Images without a name are left out: publish.per_face publishes them for each of their people.
SELECT staged.sha256, count(DISTINCT staged.identity) AS identities
FROM cleaned_staged AS staged
JOIN decisions ON decisions.image_id = staged.image_id
WHERE decisions.identity IS NOT NULL
GROUP BY staged.sha256
HAVING count(DISTINCT staged.identity) > 1
