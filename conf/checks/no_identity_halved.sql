-- People who would lose more than half of their published images.
-- An image that goes to somebody else is lost, too.
SELECT former.identity, count(*) AS published, count(coming.image_id) AS staying
FROM (SELECT DISTINCT identity, image_id FROM cleaned) AS former
LEFT JOIN (SELECT DISTINCT identity, image_id FROM cleaned_staged) AS coming
    ON coming.identity = former.identity AND coming.image_id = former.image_id
GROUP BY former.identity
HAVING 2 * count(coming.image_id) < count(*)
